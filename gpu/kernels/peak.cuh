#pragma once

// Loops that do nothing but one kind of work, for measuring what a device can do. Their sums are written, so that no
// compiler leaves any of it out.

#include "gpu/kernels/latent_products.cuh"
#include "gpu/ops/peak.h"

namespace mla::gpu {

/// Multiply-adds of fp32: a thread's sums do not wait for each other.
struct FmaLoop {
  static constexpr const char* kName = "fma_loop";
  static constexpr int kThreads = 256, kBlocks = 4;
  static constexpr int kSums = 8, kSteps = 16;
  static constexpr std::int64_t kOperations = 2ll * kThreads * kSums * kSteps;  ///< of a block in a round
  static constexpr std::size_t kShared = 0;
  using Params = PeakParams;

  static MLA_DEVICE void run(const Params& p) {
    float sums[kSums];
    for (int i = 0; i < kSums; ++i) sums[i] = p.x * float(i);  // apart, or one would do for all
    const float one = p.x / p.x;                               // which no compiler knows
    for (int round = 0; round < p.rounds; ++round) {
#pragma unroll
      for (int step = 0; step < kSteps; ++step) {
#pragma unroll
        for (int i = 0; i < kSums; ++i) sums[i] = sums[i] * one + p.x;
      }
    }
    float total = 0;
    for (int i = 0; i < kSums; ++i) total += sums[i] - p.x * float(i);
    p.sums[blockIdx.x * kThreads + threadIdx.x] = total;
  }
};

/// Products of 16-bit factors with fp32 sums, a warp at a time.
template <class Products>
struct MatrixLoop {
  static constexpr const char* kName = Products::kKind == LatentProducts::bf16 ? "matrix_loop_bf16" : "matrix_loop_fp16_k8";
  static constexpr int kThreads = 256, kBlocks = 2;
  static constexpr int kSums = 8, kSteps = 4;
  static constexpr std::int64_t kOperations = 2ll * 16 * 8 * 16 * (kThreads / 32) * kSums * kSteps;
  static constexpr std::size_t kShared = 0;
  using Params = PeakParams;

  static MLA_DEVICE void run(const Params& p) {
    if constexpr (Products::kCompiled) {
      float sums[kSums][4] = {};
      const std::uint32_t x = Products::pack(p.x, p.x), one = Products::pack(1, 1), a[4] = {x, x, x, x};
      for (int round = 0; round < p.rounds; ++round) {
#pragma unroll
        for (int step = 0; step < kSteps; ++step) {
#pragma unroll
          for (int i = 0; i < kSums; ++i) Products::multiply(sums[i], a, one, one);
        }
      }
      float total = 0;
      for (int i = 0; i < kSums; ++i)
        for (const float sum : sums[i]) total += sum;
      p.sums[blockIdx.x * kThreads + threadIdx.x] = total;
    }
  }
};

}  // namespace mla::gpu
