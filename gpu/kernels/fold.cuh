#pragma once

// y = x W: rows of weights weighted by x and summed. A block takes some columns of one head; its warps share the rows.

#include "gpu/kernels/weight_chunk.cuh"
#include "gpu/ops/product.h"

namespace mla::gpu {

template <WeightType kType>
struct FoldRows {
  using Chunk = WeightChunk<kType>;
  static constexpr const char* kName = kType == WeightType::fp32   ? "fold_rows_fp32"
                                       : kType == WeightType::bf16 ? "fold_rows_bf16"
                                                                   : "fold_rows_int8";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 2;
  static constexpr int kM = 4;                          // rows of x
  static constexpr int kColumns = 32 * Chunk::kValues;  // of a block
  static constexpr std::size_t kShared = kM * kColumns * sizeof(float);

  using Params = Product;

  /// Blocks: columns, heads, rows of x.
  static MLA_DEVICE void run(const Params& p) {
    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, head = int(blockIdx.y);
    const int m0 = int(blockIdx.z) * kM, col = int(blockIdx.x) * kColumns + lane * Chunk::kValues;
    const float* x = p.x.data + m0 * p.x.stride + std::int64_t(head) * p.x_head;
    float acc[kM][Chunk::kValues] = {};
    if (col < p.weight.cols)
      for (int j = warp; j < p.n; j += kThreads / 32) {
        const Chunk chunk = Chunk::load(p.weight, p.first_row + std::int64_t(head) * p.head_rows + j, col);
        float w[Chunk::kValues];
        chunk.unpack(w);
        for (int i = 0; i < kM; ++i) {
          const float factor = (m0 + i < p.m ? x[i * p.x.stride + j] : 0.0f) * chunk.scale;
          for (int v = 0; v < Chunk::kValues; ++v) acc[i][v] += factor * w[v];
        }
      }
    float* const sums = add_warps(acc, warp, lane);
    for (int at = int(threadIdx.x); at < kM * kColumns; at += kThreads) {
      const int i = at / kColumns, c = int(blockIdx.x) * kColumns + at % kColumns;
      if (m0 + i < p.m && c < p.weight.cols) p.y.data[(m0 + i) * p.y.stride + std::int64_t(head) * p.y_head + c] = sums[at];
    }
  }

  /// [kM, kColumns] in shared memory: the warps' sums, one after the other.
  static MLA_DEVICE float* add_warps(const float (&acc)[kM][Chunk::kValues], int warp, int lane) {
    float* const sums = reinterpret_cast<float*>(shared_memory());
    for (int turn = 0; turn < kThreads / 32; ++turn) {
      if (warp == turn)
        for (int i = 0; i < kM; ++i)
          for (int v = 0; v < Chunk::kValues; ++v) {
            float& sum = sums[i * kColumns + lane * Chunk::kValues + v];
            sum = turn == 0 ? acc[i][v] : sum + acc[i][v];
          }
      sync_block();
    }
    return sums;
  }
};

}  // namespace mla::gpu
