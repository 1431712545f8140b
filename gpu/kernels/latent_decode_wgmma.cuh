#pragma once

// Absorbed MLA decode of (576, 512) from a bf16 cache in PageLayout::tiles, by products of warpgroups and bulk copies.

#include "gpu/kernels/hopper.cuh"
#include "gpu/kernels/reduce.cuh"
#include "gpu/kernels/split_attention.cuh"
#include "gpu/kernels/vectors.cuh"

namespace mla::gpu {

/// Of both kernels: with a trace and without.
inline constexpr const char* kLatentDecodeWgmma = "latent_decode_wgmma";

/// A block takes 64 heads of a query and a run of pages. One thread fetches pages into two stages of shared memory; two
/// warpgroups take them from there, each page once as keys and once as values:
///
///   scores   group g multiplies the queries [64, 576] with its 32 tokens; the rows' maxima of both meet in shared memory
///   weights  group g writes its 32 columns of the weights [64, 64], in bf16, to shared memory
///   sums     group g multiplies all weights with its 256 columns of the latents, in registers to the end
///
/// The softmax goes along page by page (Milakov and Gimelshein 2018, arXiv:1805.02867). Of the scores the RoPE part comes
/// first, so that a trace can keep it; the NoPE part is the rest. Grid: SplitBlock's, with tiles of 64 heads.
template <bool kTraced>
struct LatentDecodeWgmma {
  static constexpr const char* kName = kLatentDecodeWgmma;
  static constexpr int kGroups = 2, kConsumers = kGroups * kWarpgroup, kThreads = kConsumers + kWarpgroup, kBlocks = 1;
  static constexpr int kHeads = 64, kLatent = 512, kRope = 64;
  static constexpr int kLatentTiles = kLatent / 64, kTiles = kLatentTiles + 1, kPageBytes = kTiles * kTileBytes, kStages = 2;
  static constexpr int kGroupTokens = kPageTokens / kGroups, kGroupColumns = kLatent / kGroups;

  /// Where what lies in shared memory, in bytes.
  static constexpr int kPages = kPageBytes, kWeights = kPages + kStages * kPageBytes, kTops = kWeights + kTileBytes,
                       kTotals = kTops + kGroups * kHeads * 4, kBarriers = kTotals + kGroups * kHeads * 4;
  static constexpr std::size_t kShared = kBarriers + 2 * kStages * sizeof(std::uint64_t);
  static_assert(kShared <= 227 * 1024);
  /// Registers of a thread: the block's share is 168 each, which the consumers' sums exceed. For more they would wait for
  /// ever.
  static constexpr int kConsumerRegisters = 240, kFetcherRegisters = 24;
  static_assert((kGroups * kConsumerRegisters + kFetcherRegisters) * kWarpgroup <= 65536 / kThreads / 8 * 8 * kThreads);
  /// Barriers of the consumers among themselves.
  static constexpr int kTopsKnown = 1, kWeightsKnown = 2;

  struct Params {
    SplitAttention split;
  };

  /// A pair of neighbouring columns, moved as one.
  struct alignas(8) Pair {
    float low, high;
  };

  /// What a thread of a warpgroup holds: of two rows, 8 apart, the columns that fragment_column names.
  struct Sums {
    float out[kGroupColumns / 2];
    float top[2], total[2];
  };

  struct Place {
    SplitBlock block;
    TokenRange tokens;
    unsigned char* shared;
    int thread, group;  ///< in the warpgroup, which one

    MLA_DEVICE int pages() const { return (tokens.end - tokens.begin + kPageTokens - 1) / kPageTokens; }
    MLA_DEVICE unsigned char* page(int i) const { return shared + kPages + i % kStages * kPageBytes; }
    MLA_DEVICE std::uint64_t* full(int i) const {
      return reinterpret_cast<std::uint64_t*>(shared + kBarriers) + i % kStages;
    }
    MLA_DEVICE std::uint64_t* empty(int i) const { return full(i) + kStages; }
    /// Of all rows, one value by each group.
    MLA_DEVICE float* row_values(int offset, int of_group) const {
      return reinterpret_cast<float*>(shared + offset) + of_group * kHeads;
    }
    MLA_DEVICE int head(int row) const { return block.tile * kHeads + row; }
  };

  static MLA_DEVICE void run(const Params& p) {
    if constexpr (kWarpgroupProducts) {
      decode(p.split);
    } else {
      not_for_this_device();
    }
  }

  static MLA_DEVICE void decode(const SplitAttention& a) {
    Place at;
    at.block = SplitBlock::of(a, (a.problem.heads + kHeads - 1) / kHeads);
    at.tokens = tokens_of(a, at.block.position, at.block.split);
    at.shared = shared_memory();
    at.thread = int(threadIdx.x) % kWarpgroup;
    at.group = shuffle(int(threadIdx.x) / kWarpgroup, 0);  // the same for a warp, which the compiler could not know
    if (threadIdx.x == 0) {
      for (int i = 0; i < kStages; ++i) {
        barrier_init(at.full(i), 1);
        barrier_init(at.empty(i), kConsumers / 32);
      }
      barriers_ready();
    }
    sync_block();
    if (at.group < kGroups) {
      more_registers<kConsumerRegisters>();
      consume(a, at);
    } else {
      fewer_registers<kFetcherRegisters>();
      if (at.thread == 0) fetch(a, at);
    }
  }

  static MLA_DEVICE void fetch(const SplitAttention& a, const Place& at) {
    for (int i = 0; i < at.pages(); ++i) {
      if (i >= kStages) barrier_wait(at.empty(i), (i / kStages - 1) % 2);
      barrier_expect(at.full(i), kPageBytes);
      bulk_copy(at.page(i), page_of(a.problem.cache, at.block.sequence, at.tokens.begin + i * kPageTokens), kPageBytes,
                at.full(i));
    }
  }

  static MLA_DEVICE void consume(const SplitAttention& a, const Place& at) {
    Sums sums;
#pragma unroll
    for (int i = 0; i < kGroupColumns / 2; ++i) sums.out[i] = 0;
#pragma unroll
    for (int half = 0; half < 2; ++half) sums.top[half] = kLowest, sums.total[half] = 0;
    if (at.pages() > 0) load_queries(a, at);
    for (int i = 0; i < at.pages(); ++i) {
      const int begin = at.tokens.begin + i * kPageTokens, count = at.tokens.end - begin;
      barrier_wait(at.full(i), i / kStages % 2);
      if (count < kPageTokens) clear_rows(at, i, count);
      float scores[kGroupTokens / 2] = {};
      multiply_keys(a, at, i, begin, scores);
      weigh(at, count, scores, sums);
      multiply_values(at, i, sums);
      if (at.thread % 32 == 0) barrier_arrive(at.empty(i));
    }
    write(a, at, sums);
  }

  /// The queries of the block's heads as bf16 in tiles, as a page has its tokens; zeros where there is no head.
  static MLA_DEVICE void load_queries(const SplitAttention& a, const Place& at) {
    constexpr int kPairs = (kLatent + kRope) / 2;
    for (int i = int(threadIdx.x); i < kHeads * kPairs; i += kConsumers) {
      const int row = i / kPairs, column = i % kPairs * 2;
      Pair q{0, 0};
      if (at.head(row) < a.problem.heads) {
        const std::int64_t query = at.block.row(a, at.head(row));
        q = *reinterpret_cast<const Pair*>(column < kLatent ? a.problem.q_nope + query * kLatent + column
                                                            : a.problem.q_rope + query * kRope + column - kLatent);
      }
      *reinterpret_cast<std::uint32_t*>(at.shared + tiled_offset(row, column)) = bf16_pair(q.low, q.high);
    }
    publish_shared();
    sync_named(kTopsKnown, kConsumers);
  }

  /// Rows of a page that were never written may hold anything, and a weight of 0 does not silence a NaN.
  static MLA_DEVICE void clear_rows(const Place& at, int i, int count) {
    const int chunks = (kPageTokens - count) * 8;
    for (int k = int(threadIdx.x); k < kLatentTiles * chunks; k += kConsumers)
      *reinterpret_cast<Words4*>(at.page(i) + k / chunks * kTileBytes + count * 128 + k % chunks * 16) = Words4{};
    publish_shared();
    sync_named(kTopsKnown, kConsumers);
  }

  /// Scores of all heads with the group's tokens of page `i`, the first of which is the sequence's token `begin`.
  static MLA_DEVICE void multiply_keys(const SplitAttention& a, const Place& at, int i, int begin,
                                       float (&scores)[kGroupTokens / 2]) {
    const std::uint64_t queries = rows_operand(at.shared), keys = rows_operand(at.page(i) + at.group * kGroupTokens * 128);
    float rope[kGroupTokens / 2];
    products_begin(scores);
    multiply_tile(queries, keys, kLatentTiles, false, scores);
    if constexpr (kTraced) {
      products_commit();
      products_wait(scores);
#pragma unroll
      for (int k = 0; k < kGroupTokens / 2; ++k) rope[k] = scores[k];
      products_begin(scores);
    }
#pragma unroll
    for (int tile = 0; tile < kLatentTiles; ++tile) multiply_tile(queries, keys, tile, true, scores);
    products_commit();
    products_wait(scores);
    if constexpr (kTraced)
      if (at.block.sequence == 0) record(a, at, begin, scores, rope);
  }

  static MLA_DEVICE void multiply_tile(std::uint64_t queries, std::uint64_t keys, int tile, bool add,
                                       float (&scores)[kGroupTokens / 2]) {
#pragma unroll
    for (int step = 0; step < 64 / kProductDepth; ++step) {
      const int bytes = tile * kTileBytes + step * kRowsStep;
      product_of_rows(scores, later(queries, bytes), later(keys, bytes), add || step > 0);
    }
  }

  /// Scores, their RoPE parts and the rest, into the trace; TraceWeights makes weights of the first.
  static MLA_DEVICE void record(const SplitAttention& a, const Place& at, int begin, const float (&scores)[kGroupTokens / 2],
                                const float (&rope)[kGroupTokens / 2]) {
    const RowTrace& trace = a.problem.trace;
#pragma unroll
    for (int i = 0; i < kGroupTokens / 2; ++i) {
      const int head = at.head(fragment_row(at.thread, i));
      const int token = begin + at.group * kGroupTokens + fragment_column(at.thread, i);
      if (head >= a.problem.heads || token >= at.tokens.end) continue;
      const std::int64_t entry = (std::int64_t(at.block.position) * a.problem.heads + head) * trace.stride + token;
      if (trace.weights) trace.weights[entry] = scores[i];
      if (trace.nope) trace.nope[entry] = scores[i] - rope[i];
      if (trace.rope) trace.rope[entry] = rope[i];
    }
  }

  /// The page's weights, of which `count` tokens take part, into shared memory; what was summed so far is scaled to the new
  /// maxima.
  static MLA_DEVICE void weigh(const Place& at, int count, float (&scores)[kGroupTokens / 2], Sums& sums) {
#pragma unroll
    for (int i = 0; i < kGroupTokens / 2; ++i)
      if (at.group * kGroupTokens + fragment_column(at.thread, i) >= count) scores[i] = -INFINITY;
    share_tops(at, scores);
    float scale[2];
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = sums.top[half];
      for (int group = 0; group < kGroups; ++group)
        top = fmaxf(top, at.row_values(kTops, group)[fragment_row(at.thread, 2 * half)]);
      scale[half] = exp2_fast((sums.top[half] - top) * kLog2E);
      sums.top[half] = top;
      sums.total[half] *= scale[half];
    }
#pragma unroll
    for (int i = 0; i < kGroupTokens / 2; i += 2) {
      const int half = i / 2 % 2;
      const float low = exp2_fast((scores[i] - sums.top[half]) * kLog2E);
      const float high = exp2_fast((scores[i + 1] - sums.top[half]) * kLog2E);
      sums.total[half] += low + high;
      const int column = at.group * kGroupTokens + fragment_column(at.thread, i);
      *reinterpret_cast<std::uint32_t*>(at.shared + kWeights + tiled_offset(fragment_row(at.thread, i), column)) =
          bf16_pair(low, high);
    }
#pragma unroll
    for (int i = 0; i < kGroupColumns / 2; ++i) sums.out[i] *= scale[i / 2 % 2];
    publish_shared();
    sync_named(kWeightsKnown, kConsumers);
  }

  /// The largest score of each row among the group's tokens, into shared memory.
  static MLA_DEVICE void share_tops(const Place& at, const float (&scores)[kGroupTokens / 2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float top = -INFINITY;
#pragma unroll
      for (int i = 0; i < kGroupTokens / 2; ++i)
        if (i / 2 % 2 == half) top = fmaxf(top, scores[i]);
      top = warp_max<4>(top);
      if (at.thread % 4 == 0) at.row_values(kTops, at.group)[fragment_row(at.thread, 2 * half)] = top;
    }
    sync_named(kTopsKnown, kConsumers);
  }

  /// The weights of all tokens of page `i`, times the group's columns of its latents, are added to the sums.
  static MLA_DEVICE void multiply_values(const Place& at, int i, Sums& sums) {
    const std::uint64_t weights = rows_operand(at.shared + kWeights);
    const std::uint64_t latents = columns_operand(at.page(i) + at.group * (kGroupColumns / 64) * kTileBytes);
    products_begin(sums.out);
#pragma unroll
    for (int step = 0; step < kPageTokens / kProductDepth; ++step)
      product_of_columns(sums.out, later(weights, step * kRowsStep), later(latents, step * kColumnsStep));
    products_commit();
    products_wait(sums.out);
  }

  static MLA_DEVICE void write(const SplitAttention& a, const Place& at, Sums& sums) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float total = warp_sum<4>(sums.total[half]);
      if (at.thread % 4 == 0) at.row_values(kTotals, at.group)[fragment_row(at.thread, 2 * half)] = total;
    }
    sync_named(kTopsKnown, kConsumers);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int row = fragment_row(at.thread, 2 * half);
      if (at.head(row) >= a.problem.heads) continue;
      const float total = at.row_values(kTotals, 0)[row] + at.row_values(kTotals, 1)[row];
      const std::int64_t result = at.block.result(a, at.head(row));
      if (at.group == 0 && at.thread % 4 == 0) a.totals[result] = {sums.top[half], total};
      if (at.pages() == 0) continue;
      const float share = 1 / total;
      float* out = a.sums + result * kLatent + at.group * kGroupColumns;
#pragma unroll
      for (int i = 2 * half; i < kGroupColumns / 2; i += 4)
        *reinterpret_cast<Pair*>(out + fragment_column(at.thread, i)) = {sums.out[i] * share, sums.out[i + 1] * share};
    }
  }
};

}  // namespace mla::gpu
