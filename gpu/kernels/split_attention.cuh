#pragma once

// What the kernels of a split attention share: each takes a run of a sequence's tokens, the results are merged afterwards
// (Flash-Decoding; Dao et al. 2023).

#include "gpu/kernels/cache_page.cuh"
#include "gpu/ops/split_attention.h"

namespace mla::gpu {

inline constexpr float kLog2E = 1.4426950408889634f;
inline constexpr float kLowest = -3.402823466e38f;  ///< below every score; a difference of two is no NaN

/// Tokens [begin, end); none where end <= begin.
struct TokenRange {
  int begin, end;
};

/// What a split of position `i`'s keys takes: whole pages, as evenly as that goes.
MLA_DEVICE TokenRange tokens_of(const SplitAttention& a, int i, int split) {
  const int keys = *a.problem.first + i + 1, pages = (keys + kPageTokens - 1) / kPageTokens;
  const int each = (pages + a.splits - 1) / a.splits * kPageTokens;
  const int begin = split * each, end = begin + each;
  return {begin, end < keys ? end : keys};
}

/// How many splits take any tokens of position `i`: the first ones. What the others left is not read.
MLA_DEVICE int splits_used(const SplitAttention& a, int i) {
  const TokenRange first = tokens_of(a, i, 0);
  const int keys = *a.problem.first + i + 1, each = first.end - first.begin;
  return (keys + each - 1) / each;
}

/// Which part of the work a block does: grid.x = positions · batch · tiles · splits.
struct SplitBlock {
  int split, tile, sequence, position;

  static MLA_DEVICE SplitBlock of(const SplitAttention& a, int tiles) {
    int index = int(blockIdx.x);
    SplitBlock b;
    b.split = index % a.splits;
    index /= a.splits;
    b.tile = index % tiles;
    index /= tiles;
    b.sequence = index % a.problem.batch;
    b.position = index / a.problem.batch;
    return b;
  }

  MLA_DEVICE std::int64_t row(const SplitAttention& a, int head) const {
    return (std::int64_t(position) * a.problem.batch + sequence) * a.problem.heads + head;
  }
  /// Where a head's result goes, in rows from the first split's first.
  MLA_DEVICE std::int64_t result(const SplitAttention& a, int head) const { return split * a.rows + row(a, head); }
};

/// Whether somebody looks at what this sequence attends to.
MLA_DEVICE bool traced(const RowTrace& trace, int sequence) {
  return sequence == 0 && (trace.weights || trace.nope || trace.rope);
}

}  // namespace mla::gpu
