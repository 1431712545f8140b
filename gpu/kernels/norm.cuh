#pragma once

// RMSNorm and LayerNorm, a row a block.

#include "gpu/kernels/reduce.cuh"

namespace mla::gpu {

/// out[row] = in[row] / sqrt(mean(in[row]²) + eps) · weight
struct RmsNorm {
  static constexpr const char* kName = "rms_norm";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 1;
  static constexpr std::size_t kShared = kThreads / 32 * sizeof(float);

  struct Params {
    float* out;           // [rows, n], rows out_stride apart
    const float* in;      // [rows, n], rows in_stride apart
    const float* weight;  // [n]
    std::int64_t in_stride, out_stride;
    int n;
    float eps;
  };

  static MLA_DEVICE void run(const Params& p) {
    float* scratch = reinterpret_cast<float*>(shared_memory());
    const float* in = p.in + blockIdx.x * p.in_stride;
    float* out = p.out + blockIdx.x * p.out_stride;
    float squares = 0;
    for (int i = int(threadIdx.x); i < p.n; i += kThreads) squares += in[i] * in[i];
    const float scale = 1.0f / sqrtf(block_sum<kThreads>(squares, scratch) / float(p.n) + p.eps);
    for (int i = int(threadIdx.x); i < p.n; i += kThreads) out[i] = in[i] * scale * p.weight[i];
  }
};

}  // namespace mla::gpu
