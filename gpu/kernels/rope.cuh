#pragma once

// RoPE: the pairs (2i, 2i + 1) of a head turned by the angles of a position.

#include "gpu/kernels/platform.cuh"

namespace mla::gpu {

/// x[i] of a rotated pair's two values, from those before; cs: the cosines and sines of the position.
MLA_DEVICE float rotated(const float* x, const float* cs, int i) {
  const int pair = i / 2 * 2;
  const float a = x[pair], b = x[pair + 1];
  return i % 2 == 0 ? a * cs[pair] - b * cs[pair + 1] : a * cs[pair + 1] + b * cs[pair];
}

struct RotateHeads {
  static constexpr const char* kName = "rotate";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    float* x;
    const float* table;  // [context, dim]
    const int* first;
    std::int64_t stride;
    int heads, head_stride, dim, batch;
  };
  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const int row = int(blockIdx.x), pairs = p.dim / 2;
    const float* cs = p.table + std::int64_t(*p.first + row / p.batch) * p.dim;
    for (int i = int(threadIdx.x); i < p.heads * pairs; i += kThreads) {
      float* pair = p.x + row * p.stride + std::int64_t(i / pairs) * p.head_stride + i % pairs * 2;
      const float a = pair[0], b = pair[1], cosine = cs[i % pairs * 2], sine = cs[i % pairs * 2 + 1];
      pair[0] = a * cosine - b * sine;
      pair[1] = a * sine + b * cosine;
    }
  }
};

struct SplitQueries {
  static constexpr const char* kName = "split_queries";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    const float* q;
    float* q_nope;
    float* q_rope;
    const float* table;
    const int* first;
    int heads, nope, rope, batch;
    float scale;
  };
  /// Blocks: heads within rows.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t at = blockIdx.x;
    const int row = int(at / p.heads);
    const float* head = p.q + at * (p.nope + p.rope);
    for (int i = int(threadIdx.x); i < p.nope; i += kThreads) p.q_nope[at * p.nope + i] = head[i] * p.scale;
    if (p.rope == 0) return;
    const float* cs = p.table + std::int64_t(*p.first + row / p.batch) * p.rope;
    for (int i = int(threadIdx.x); i < p.rope; i += kThreads)
      p.q_rope[at * p.rope + i] = rotated(head + p.nope, cs, i) * p.scale;
  }
};

}  // namespace mla::gpu
