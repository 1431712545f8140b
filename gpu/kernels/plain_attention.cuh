#pragma once

// Attention of any shape over a cache of any type, in fp32 arithmetic.

#include "gpu/kernels/reduce.cuh"
#include "gpu/kernels/split_attention.cuh"
#include "gpu/ops/plain_attention.h"

namespace mla::gpu {

/// One split of the keys of one query for kHeads heads that share a key-value head: online softmax (Milakov and Gimelshein
/// 2018, arXiv:1805.02867) over blocks of kTokens tokens.
template <int kHeads>
struct PlainAttention {
  static constexpr const char* kName = kPlainAttention;
  static constexpr int kThreads = 128, kBlocks = 4, kWarps = kThreads / 32;
  static constexpr int kTokens = kHeads == 1 ? kThreads : 32;
  static constexpr int kColumns = 32, kPitch = kColumns + 1;   // of keys that lie in shared memory at a time
  static constexpr int kEach = kTokens * kHeads / kThreads;    // scores of a thread, of one token
  static constexpr int kOwn = (kHeads + kWarps - 1) / kWarps;  // heads whose softmax a warp follows

  struct Params {
    SplitAttention split;
    int tiles;         // of heads, of one key-value head
    int shared_heads;  // of one key-value head
  };

  struct Shared {
    float keys[kTokens * kPitch];
    float query[kHeads * kColumns];
    float scores[kHeads * kTokens];  // then e^(score - top)
    float scale[kHeads];             // of what was summed so far
    float total[kHeads];

    MLA_DEVICE float* sums() { return reinterpret_cast<float*>(this + 1); }  // [value, kHeads]
  };
  static std::size_t shared_bytes(int value) { return sizeof(Shared) + sizeof(float) * kHeads * std::size_t(value); }

  /// One block's part of the work.
  struct Work {
    const Params& p;
    Shared& shared;
    SplitBlock block;
    int kv_head, head, heads;  // the first head and how many there are
    int thread;

    MLA_DEVICE const DeviceAttention& problem() const { return p.split.problem; }
    MLA_DEVICE float value_at(int token, int column) const {
      return cached_value(problem().cache.row, page_of(problem().cache, block.sequence, token), token % kPageTokens, column);
    }
  };

  /// Columns [offset, offset + n) of the block's keys · the queries [row, n].
  static MLA_DEVICE void score(const Work& w, int first, int count, const float* query, int n, int offset,
                               float (&out)[kEach]) {
    const int token = w.thread % kTokens, head = w.thread / kTokens * kEach;
    const std::int64_t row = w.block.row(w.p.split, w.head);
    for (int column = 0; column < n; column += kColumns) {
      for (int i = w.thread; i < kTokens * kColumns; i += kThreads) {
        const int t = i / kColumns, c = i % kColumns;
        w.shared.keys[t * kPitch + c] = t < count && column + c < n ? w.value_at(first + t, offset + column + c) : 0.0f;
      }
      for (int i = w.thread; i < kHeads * kColumns; i += kThreads) {
        const int h = i / kColumns, c = i % kColumns;
        w.shared.query[i] = h < w.heads && column + c < n ? query[(row + h) * n + column + c] : 0.0f;
      }
      sync_block();
      for (int c = 0; c < kColumns; ++c) {
        const float key = w.shared.keys[token * kPitch + c];
        for (int i = 0; i < kEach; ++i) out[i] += key * w.shared.query[(head + i) * kColumns + c];
      }
      sync_block();
    }
  }

  /// Scores of a block of tokens, to shared memory and to whoever looks.
  static MLA_DEVICE void score_block(const Work& w, int first, int count) {
    const DeviceAttention& a = w.problem();
    float nope[kEach] = {}, rope[kEach] = {};
    score(w, first, count, a.q_nope, a.layout.nope, a.layout.nope_offset + w.kv_head * a.layout.nope_stride, nope);
    score(w, first, count, a.q_rope, a.layout.rope, a.layout.rope_offset + w.kv_head * a.layout.rope_stride, rope);
    const int token = w.thread % kTokens, head = w.thread / kTokens * kEach;
    for (int i = 0; i < kEach; ++i) {
      const float total = nope[i] + rope[i];
      w.shared.scores[(head + i) * kTokens + token] = token < count ? total : kLowest;
      if (token >= count || head + i >= w.heads || !traced(a.trace, w.block.sequence)) continue;
      const std::int64_t at =
          (std::int64_t(w.block.position) * a.heads + w.head + head + i) * a.trace.stride + first + token;
      if (a.trace.weights) a.trace.weights[at] = total;
      if (a.trace.nope) a.trace.nope[at] = nope[i];
      if (a.trace.rope) a.trace.rope[at] = rope[i];
    }
  }

  /// Scores become e^(score - top); a warp follows the heads warp, warp + kWarps, …
  static MLA_DEVICE void softmax_block(const Work& w, int count, SplitTotal (&own)[kOwn]) {
    const int lane = w.thread % 32, warp = w.thread / 32;
    for (int i = 0; i < kOwn; ++i) {
      const int head = warp + i * kWarps;
      if (head >= kHeads) continue;  // the whole warp
      float* scores = w.shared.scores + head * kTokens;
      float top = own[i].top, total = 0;
      for (int t = lane; t < kTokens; t += 32) top = scores[t] > top ? scores[t] : top;
      top = warp_max(top);
      for (int t = lane; t < kTokens; t += 32) {
        const float weight = t < count ? exp2f((scores[t] - top) * kLog2E) : 0.0f;
        scores[t] = weight;
        total += weight;
      }
      total = warp_sum(total);
      const float scale = exp2f((own[i].top - top) * kLog2E);
      own[i] = {top, own[i].total * scale + total};
      if (lane == 0) w.shared.scale[head] = scale;
    }
  }

  /// A thread sums the columns thread, thread + kThreads, …
  static MLA_DEVICE void add_values(const Work& w, int first, int count) {
    const KvLayout& layout = w.problem().layout;
    const int offset = layout.value_offset + w.kv_head * layout.value_stride;
    for (int column = w.thread; column < layout.value; column += kThreads) {
      float* sums = w.shared.sums() + column * kHeads;
      float sum[kHeads];
      for (int h = 0; h < kHeads; ++h) sum[h] = sums[h] * w.shared.scale[h];
      for (int t = 0; t < count; ++t) {
        const float value = w.value_at(first + t, offset + column);
        for (int h = 0; h < kHeads; ++h) sum[h] += value * w.shared.scores[h * kTokens + t];
      }
      for (int h = 0; h < kHeads; ++h) sums[h] = sum[h];
    }
  }

  static MLA_DEVICE void finish(const Work& w, const SplitTotal (&own)[kOwn]) {
    const SplitAttention& s = w.p.split;
    const int warp = w.thread / 32;
    for (int i = 0; i < kOwn; ++i) {
      const int head = warp + i * kWarps;
      if (w.thread % 32 != 0 || head >= w.heads) continue;
      s.totals[w.block.result(s, w.head + head)] = own[i];
      w.shared.total[head] = own[i].total;
    }
    sync_block();
    const int value = s.problem.layout.value;
    for (int h = 0; h < w.heads; ++h) {
      float* out = s.sums + w.block.result(s, w.head + h) * value;
      const float total = w.shared.total[h];
      for (int column = w.thread; column < value; column += kThreads)
        out[column] = total == 0.0f ? 0.0f : w.shared.sums()[column * kHeads + h] / total;
    }
  }

  static MLA_DEVICE void run(const Params& p) {
    Shared& shared = *reinterpret_cast<Shared*>(shared_memory());
    const SplitBlock block = SplitBlock::of(p.split, p.tiles * p.split.problem.layout.kv_heads);
    const int kv_head = block.tile / p.tiles, inside = block.tile % p.tiles * kHeads;
    const int heads = p.shared_heads - inside < kHeads ? p.shared_heads - inside : kHeads;
    const Work w{p, shared, block, kv_head, kv_head * p.shared_heads + inside, heads, int(threadIdx.x)};
    const TokenRange range = tokens_of(p.split, block.position, block.split);
    SplitTotal own[kOwn];
    for (SplitTotal& total : own) total = {kLowest, 0};
    for (int i = w.thread; i < p.split.problem.layout.value * kHeads; i += kThreads) shared.sums()[i] = 0;
    sync_block();
    for (int first = range.begin; first < range.end; first += kTokens) {
      const int count = range.end - first < kTokens ? range.end - first : kTokens;
      score_block(w, first, count);
      sync_block();
      softmax_block(w, count, own);
      sync_block();
      add_values(w, first, count);
    }
    finish(w, own);
  }
};

}  // namespace mla::gpu
