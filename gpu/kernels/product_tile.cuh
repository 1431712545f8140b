#pragma once

// A tile of y = x W^T with fp32 sums: 64 rows of x by 64 of weights, 16 columns at a time through shared memory, where
// weights become fp32. Each of 256 threads sums a 4 by 4 patch; the next columns are fetched while it does.

#include "gpu/kernels/weight_chunk.cuh"
#include "gpu/ops/product.h"

namespace mla::gpu {

template <WeightType kType>
struct ProductTile {
  static constexpr int kThreads = 256;
  static constexpr int kSide = 64, kDepth = 16, kPitch = kSide + 4;
  static constexpr std::size_t kShared = 2 * kDepth * kPitch * sizeof(float);

  float sum[4][4];

  /// x_row: where this thread's row of x (threadIdx.x / 4 of the tile) begins, null beyond the last; w_row: its row of
  /// weights, negative beyond the last.
  MLA_DEVICE void multiply(const Matrix& matrix, std::int64_t w_row, const float* x_row) {
    float* const a = reinterpret_cast<float*>(shared_memory());
    float* const b = a + kDepth * kPitch;
    const int row = int(threadIdx.x) / 4, quad = int(threadIdx.x) % 4 * 4;
    const int up = int(threadIdx.x) / 16 * 4, across = int(threadIdx.x) % 16 * 4;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j) sum[i][j] = 0;
    const bool whole = is_whole(x_row, 0, matrix.cols);
    float x[4], w[4];
    fetch(matrix, w_row, x_row, quad, whole, x, w);
    for (int k = 0; k < matrix.cols; k += kDepth) {
      sync_block();
      for (int i = 0; i < 4; ++i) {
        a[(quad + i) * kPitch + row] = x[i];
        b[(quad + i) * kPitch + row] = w[i];
      }
      sync_block();
      if (k + kDepth < matrix.cols) fetch(matrix, w_row, x_row, k + kDepth + quad, whole, x, w);
      for (int d = 0; d < kDepth; ++d) {
        const Floats4 left = *reinterpret_cast<const Floats4*>(a + d * kPitch + up);
        const Floats4 right = *reinterpret_cast<const Floats4*>(b + d * kPitch + across);
        for (int i = 0; i < 4; ++i)
          for (int j = 0; j < 4; ++j) sum[i][j] += left.value[i] * right.value[j];
      }
    }
  }

  static MLA_DEVICE void fetch(const Matrix& matrix, std::int64_t w_row, const float* x_row, int col, bool whole,
                               float (&x)[4], float (&w)[4]) {
    for (int i = 0; i < 4; ++i) x[i] = w[i] = 0;
    if (col >= matrix.cols) return;
    if (x_row) load_floats(x_row + col, matrix.cols - col, whole, x);
    if (w_row >= 0) weights_at<kType>(matrix, w_row, col, w);
  }
};

template <WeightType kType>
struct TiledProduct {
  using Tile = ProductTile<kType>;
  static constexpr const char* kName = kType == WeightType::fp32   ? "tiled_product_fp32"
                                       : kType == WeightType::bf16 ? "tiled_product_bf16"
                                                                   : "tiled_product_int8";
  static constexpr int kThreads = Tile::kThreads;
  static constexpr int kBlocks = 2;

  using Params = Product;

  /// Blocks: tiles of weight rows, heads, tiles of rows of x.
  static MLA_DEVICE void run(const Params& p) {
    const int head = int(blockIdx.y), n0 = int(blockIdx.x) * Tile::kSide, m0 = int(blockIdx.z) * Tile::kSide;
    const int row = int(threadIdx.x) / 4;
    const float* x = p.x.data + std::int64_t(head) * p.x_head;
    Tile tile;
    tile.multiply(p.weight, n0 + row < p.n ? p.first_row + std::int64_t(head) * p.head_rows + n0 + row : -1,
                  m0 + row < p.m ? x + (m0 + row) * p.x.stride : nullptr);
    float* y = p.y.data + std::int64_t(head) * p.y_head;
    const int up = int(threadIdx.x) / 16 * 4, across = int(threadIdx.x) % 16 * 4;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j)
        if (m0 + up + i < p.m && n0 + across + j < p.n)
          y[(m0 + up + i) * p.y.stride + n0 + across + j] =
              tile.sum[i][j] + (p.bias ? p.bias[head * p.n + n0 + across + j] : 0.0f);
  }
};

}  // namespace mla::gpu
