#pragma once

// One query a head over keys and values that belong to a few query heads each: a row is read once for all of them.

#include "gpu/kernels/grouped_decode_rows.cuh"
#include "gpu/kernels/reduce.cuh"
#include "gpu/kernels/split_attention.cuh"

namespace mla::gpu {

/// A block takes the tokens of one split, one key-value head and up to kHeads of its query heads: page by page scores,
/// softmax (online, as in PlainAttention), weighted sum. Four threads make a score; every thread sums eight columns over
/// some of the tokens. Teams of 128 threads meet the same tokens with other heads, so that all but one find a row in the
/// first-level cache. kAligned: eight values of kDtype are read at once; otherwise any are, one by one.
template <CacheDtype kDtype, bool kAligned, int kOwn, int kTeams>
struct GroupedDecode {
  static constexpr const char* kName = kAligned ? "grouped_decode" : "grouped_decode_any";
  static constexpr int kTeam = 128, kThreads = kTeam * kTeams;
  static constexpr int kBlocks = 4 / kTeams;
  static constexpr int kHeads = kOwn * kTeams;
  static constexpr int kAtOnce = 8;
  /// Values and pairs of keys that are on their way at a time, as far as registers go.
  static constexpr int kDeep = kOwn > 1 ? 2 : 4, kAhead = kOwn > 1 && kDtype == CacheDtype::fp32 ? 1 : 2;

  struct Params {
    SplitAttention split;
    HeadColumns key[2], value;  ///< NoPE and RoPE part
    int shared;                 ///< query heads of one key-value head
    int groups;                 ///< of kHeads among them
  };

  static MLA_BOTH int chunks(int values) { return (values + kAtOnce - 1) / kAtOnce; }
  /// The widest value whose columns the threads of a team can share out.
  static constexpr int kMostValues = kTeam * kAtOnce;

  /// Queries come last: where the rest lies is known when this is compiled, and takes no registers.
  struct alignas(16) Shared {
    float scores[2 * kPageTokens * kHeads];  // [NoPE and RoPE part, kPageTokens, kHeads]
    float weights[kPageTokens * kHeads];     // [kPageTokens, kHeads]: e^(score - top)
    float merge[kThreads * kAtOnce];
    float top[kHeads], total[kHeads], scale[kHeads];  // of the tokens so far; scale: of what was summed before this page

    MLA_DEVICE float* query() { return reinterpret_cast<float*>(this + 1); }  // [kHeads, NoPE and RoPE part in whole chunks]
  };
  static std::size_t shared_bytes(int nope, int rope) {
    return sizeof(Shared) + sizeof(float) * kHeads * std::size_t(chunks(nope) + chunks(rope)) * kAtOnce;
  }
  static MLA_DEVICE Shared& shared() { return *reinterpret_cast<Shared*>(shared_memory()); }

  /// One block's part of the work, and the thread's in it.
  struct Work {
    const Params& p;
    int query_stride, rope_at;  // values
    SplitBlock block;
    int kv_head, head, heads;  // the first query head and how many there are
    int team, thread;          // thread of the team

    MLA_DEVICE const DeviceAttention& problem() const { return p.split.problem; }
    MLA_DEVICE HeadRun run(const HeadColumns& columns) const { return run_of(problem().cache.row, columns, kv_head); }
    MLA_DEVICE void load(const unsigned char* page, int slot, const HeadRun& run, int chunk, float (&x)[kAtOnce]) const {
      const RowLayout& layout = problem().cache.row;
      if constexpr (kAligned) {
        load_eight<kDtype>(page + slot * layout.bytes, run, chunk * kAtOnce, x);
      } else {
        load_eight_anyhow(layout, page, slot, run, chunk * kAtOnce, x);
      }
    }
  };

  static MLA_DEVICE void load_queries(const Work& w) {
    const DeviceAttention& a = w.problem();
    const std::int64_t row = w.block.row(w.p.split, w.head);
    for (int i = int(threadIdx.x); i < kHeads * w.query_stride; i += kThreads) {
      const int head = i / w.query_stride, column = i % w.query_stride, rope = column - w.rope_at;
      float q = 0;
      if (head < w.heads && column < a.layout.nope) q = a.q_nope[(row + head) * a.layout.nope + column];
      if (head < w.heads && rope >= 0 && rope < a.layout.rope) q = a.q_rope[(row + head) * a.layout.rope + rope];
      shared().query()[i] = q;
    }
    if (threadIdx.x < kHeads) shared().top[threadIdx.x] = kLowest, shared().total[threadIdx.x] = 0;
  }

  template <int n>
  static MLA_DEVICE void read(const float* from, float (&x)[n]) {
    if constexpr (n % 4 == 0) {
#pragma unroll
      for (int i = 0; i < n; i += 4) {
        const Words4 words = *reinterpret_cast<const Words4*>(from + i);
#pragma unroll
        for (int j = 0; j < 4; ++j) x[i + j] = float_of_bits(words.word[j]);
      }
    } else {
#pragma unroll
      for (int i = 0; i < n; ++i) x[i] = from[i];
    }
  }

  /// out[i][h] = part of the key in slot[i] · query of head h, for all four threads that share the two slots.
  static MLA_DEVICE void products(const Work& w, const HeadRun& run, const unsigned char* page, const int (&slot)[2],
                                  const float* query, float (&out)[2][kOwn]) {
    const int all = chunks(run.count);
#pragma unroll
    for (int h = 0; h < kOwn; ++h) out[0][h] = out[1][h] = 0;
#pragma unroll kAhead
    for (int chunk = w.thread % 4; chunk < all; chunk += 4) {
      float a[kAtOnce], b[kAtOnce], q[kAtOnce];
      w.load(page, slot[0], run, chunk, a);
      w.load(page, slot[1], run, chunk, b);
#pragma unroll
      for (int h = 0; h < kOwn; ++h) {
        read(query + h * w.query_stride + chunk * kAtOnce, q);
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) out[0][h] += q[i] * a[i], out[1][h] += q[i] * b[i];
      }
    }
#pragma unroll
    for (int h = 0; h < kOwn; ++h)
#pragma unroll
      for (int i = 0; i < 2; ++i) out[i][h] = warp_sum<4>(out[i][h]);
  }

  /// NoPE and RoPE part of the scores of a page's `count` tokens.
  static MLA_DEVICE void score_page(const Work& w, const unsigned char* page, int count) {
    const int token = w.thread / 4, later = token + kTeam / 4;
    const int slot[2] = {token < count ? token : count - 1, later < count ? later : count - 1};
#pragma unroll 1
    for (int part = 0; part < 2; ++part) {
      const float* query = shared().query() + w.team * kOwn * w.query_stride + (part ? w.rope_at : 0);
      float* scores = shared().scores + (part * kPageTokens + token) * kHeads + w.team * kOwn;
      float product[2][kOwn];
      products(w, w.run(w.p.key[part]), page, slot, query, product);
      if (w.thread % 4 != 0) continue;  // one of the four writes
#pragma unroll
      for (int h = 0; h < kOwn; ++h) scores[h] = product[0][h], scores[kTeam / 4 * kHeads + h] = product[1][h];
    }
  }

  /// What sequence 0's scores are made of, for whoever looks: `key` is the page's first.
  static MLA_DEVICE void record(const Work& w, int key, int count) {
    const RowTrace& trace = w.problem().trace;
    if (!traced(trace, w.block.sequence)) return;
#pragma unroll 1
    for (int i = int(threadIdx.x); i < w.heads * kPageTokens; i += kThreads) {
      const int head = i / kPageTokens, token = i % kPageTokens;
      if (token >= count) continue;
      const float nope = shared().scores[token * kHeads + head],
                  rope = shared().scores[(kPageTokens + token) * kHeads + head];
      const std::int64_t at = (w.head + head) * trace.stride + key + token;
      if (trace.weights) trace.weights[at] = nope + rope;
      if (trace.nope) trace.nope[at] = nope;
      if (trace.rope) trace.rope[at] = rope;
    }
  }

  /// Scores become e^(score - top) beside them; a warp a head, a lane two tokens.
  static MLA_DEVICE void soften(Shared& s, int count) {
    const int lane = int(threadIdx.x) % 32;
#pragma unroll 1
    for (int head = int(threadIdx.x) / 32; head < kHeads; head += kThreads / 32) {
      float score[2];
      for (int i = 0; i < 2; ++i) {
        const int token = lane + 32 * i, at = token * kHeads + head;
        score[i] = token < count ? s.scores[at] + s.scores[kPageTokens * kHeads + at] : kLowest;
      }
      const float before = s.top[head], here = warp_max(score[0] > score[1] ? score[0] : score[1]);
      const float top = before > here ? before : here, scale = exp2_fast((before - top) * kLog2E);
      for (int i = 0; i < 2; ++i) {
        score[i] = exp2_fast((score[i] - top) * kLog2E);
        s.weights[(lane + 32 * i) * kHeads + head] = score[i];
      }
      const float sum = warp_sum(score[0] + score[1]);
      if (lane == 0) s.top[head] = top, s.total[head] = s.total[head] * scale + sum, s.scale[head] = scale;
    }
  }

  static MLA_DEVICE void add_values(const Work& w, const unsigned char* page, int count, float (&sum)[kOwn][kAtOnce]) {
    const int all = chunks(w.p.value.count), lanes = kTeam / all, lane = w.thread / all, chunk = w.thread % all;
    if (lane >= lanes) return;
    const HeadRun run = w.run(w.p.value);
    const int head = w.team * kOwn;
#pragma unroll
    for (int h = 0; h < kOwn; ++h)
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) sum[h][i] *= shared().scale[head + h];
#pragma unroll kDeep
    for (int token = lane; token < count; token += lanes) {
      float x[kAtOnce], weight[kOwn];
      w.load(page, token, run, chunk, x);
      read(shared().weights + token * kHeads + head, weight);
#pragma unroll
      for (int h = 0; h < kOwn; ++h)
#pragma unroll
        for (int i = 0; i < kAtOnce; ++i) sum[h][i] += weight[h] * x[i];
    }
  }

  /// Adds up what the threads of each team have, always in the same order, and writes it.
  static MLA_DEVICE void finish(const Work& w, const float (&sum)[kOwn][kAtOnce]) {
    const SplitAttention& s = w.p.split;
    const int value = w.p.value.count, width = chunks(value) * kAtOnce, lanes = kTeam * kAtOnce / width;
    float* merge = shared().merge + w.team * kTeam * kAtOnce;
#pragma unroll
    for (int h = 0; h < kOwn; ++h) {
#pragma unroll
      for (int i = 0; i < kAtOnce; ++i) merge[w.thread * kAtOnce + i] = sum[h][i];
      sync_block();
      const int head = w.team * kOwn + h;
      const float total = shared().total[head];
      for (int column = w.thread; head < w.heads && column < value; column += kTeam) {
        float all = 0;
        for (int lane = 0; lane < lanes; ++lane) all += merge[lane * width + column];
        s.sums[w.block.result(s, w.head + head) * value + column] = total == 0.0f ? 0.0f : all / total;
      }
      sync_block();
    }
    const int head = int(threadIdx.x);
    if (head < w.heads) s.totals[w.block.result(s, w.head + head)] = {shared().top[head], shared().total[head]};
  }

  static MLA_DEVICE void run(const Params& p) {
    const SplitBlock block = SplitBlock::of(p.split, p.groups * p.split.problem.layout.kv_heads);
    const int kv_head = block.tile / p.groups, inside = block.tile % p.groups * kHeads;
    const int heads = p.shared - inside < kHeads ? p.shared - inside : kHeads;
    const int rope_at = chunks(p.key[0].count) * kAtOnce, query_stride = rope_at + chunks(p.key[1].count) * kAtOnce;
    const Work w{p,
                 query_stride,
                 rope_at,
                 block,
                 kv_head,
                 kv_head * p.shared + inside,
                 heads,
                 int(threadIdx.x) / kTeam,
                 int(threadIdx.x) % kTeam};
    const TokenRange range = tokens_of(p.split, 0, block.split);
    load_queries(w);
    float sum[kOwn][kAtOnce] = {};
    sync_block();
    for (int first = range.begin; first < range.end; first += kPageTokens) {
      const unsigned char* page = page_of(w.problem().cache, block.sequence, first);
      const int count = range.end - first < kPageTokens ? range.end - first : kPageTokens;
      score_page(w, page, count);
      sync_block();
      record(w, first, count);
      soften(shared(), count);
      sync_block();
      add_values(w, page, count, sum);
      sync_block();
    }
    finish(w, sum);
  }
};

}  // namespace mla::gpu
