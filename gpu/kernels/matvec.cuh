#pragma once

// A few rows of x with each row of a weight matrix as it comes from memory: a warp takes some rows of weights, its lanes 16
// bytes of each at a time.

#include "gpu/kernels/reduce.cuh"
#include "gpu/kernels/weight_chunk.cuh"
#include "gpu/ops/product.h"

namespace mla::gpu {

/// acc[i][r] = x[i] · W[row + r] for kRows rows of weights, of which the last is `last`, in all lanes. Rows of x beyond m
/// and of W beyond `last` repeat the one before.
template <WeightType kType, int kM, int kRows>
MLA_DEVICE void dot_rows(const Matrix& matrix, std::int64_t row, std::int64_t last, const float* x, std::int64_t ldx, int m,
                         bool whole, float (&acc)[kM][kRows]) {
  using Chunk = WeightChunk<kType>;
  constexpr int kValues = Chunk::kValues;
  for (int i = 0; i < kM; ++i)
    for (int r = 0; r < kRows; ++r) acc[i][r] = 0;
#pragma unroll 2
  for (int col = int(threadIdx.x % 32) * kValues; col < matrix.cols; col += 32 * kValues) {
    Chunk chunk[kRows];
    for (int r = 0; r < kRows; ++r) chunk[r] = Chunk::load(matrix, row + r < last ? row + r : last, col);
    float w[kRows][kValues];
    for (int r = 0; r < kRows; ++r) chunk[r].unpack(w[r]);
    for (int i = 0; i < kM; ++i) {
      float values[kValues];
      load_floats(x + (i < m ? i : m - 1) * ldx + col, matrix.cols - col, whole, values);
      for (int r = 0; r < kRows; ++r) {
        float sum = 0;
        for (int v = 0; v < kValues; ++v) sum += values[v] * w[r][v];
        acc[i][r] += sum * chunk[r].scale;
      }
    }
  }
  for (int i = 0; i < kM; ++i)
    for (int r = 0; r < kRows; ++r) acc[i][r] = warp_sum(acc[i][r]);
}

template <WeightType kType, int kM, int kRows>
struct MatVec {
  static constexpr const char* kName = kType == WeightType::fp32   ? "matvec_fp32"
                                       : kType == WeightType::bf16 ? "matvec_bf16"
                                                                   : "matvec_int8";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 2;
  static constexpr int kBlockRows = kThreads / 32 * kRows;  // of weights

  using Params = Product;

  /// Blocks: rows of weights, heads.
  static MLA_DEVICE void run(const Params& p) {
    const int head = int(blockIdx.y), at = int(blockIdx.x) * kBlockRows + int(threadIdx.x) / 32 * kRows;
    const std::int64_t first = p.first_row + std::int64_t(head) * p.head_rows, last = first + p.n - 1;
    const float* x = p.x.data + std::int64_t(head) * p.x_head;
    float acc[kM][kRows];
    dot_rows<kType, kM, kRows>(p.weight, first + at < last ? first + at : last, last, x, p.x.stride, p.m,
                               is_whole(x, p.x.stride, p.weight.cols), acc);
    if (threadIdx.x % 32 != 0) return;
    float* y = p.y.data + std::int64_t(head) * p.y_head;
    for (int r = 0; r < kRows && at + r < p.n; ++r) {
      const float bias = p.bias ? p.bias[head * p.n + at + r] : 0.0f;
      for (int i = 0; i < kM; ++i)
        if (i < p.m) y[i * p.y.stride + at + r] = acc[i][r] + bias;
    }
  }
};

}  // namespace mla::gpu
