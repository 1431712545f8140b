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

/// x[row] = (x[row] - mean) / sqrt(variance + 1e-5) · weight + bias, in place
struct LayerNorm {
  static constexpr const char* kName = "layer_norm";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 1;
  static constexpr std::size_t kShared = kThreads / 32 * sizeof(float);

  struct Params {
    float* x;  // [rows, n], rows stride apart
    const float* weight;
    const float* bias;
    std::int64_t stride;
    int n;
  };

  static MLA_DEVICE void run(const Params& p) {
    float* scratch = reinterpret_cast<float*>(shared_memory());
    float* x = p.x + blockIdx.x * p.stride;
    float sum = 0, squares = 0;
    for (int i = int(threadIdx.x); i < p.n; i += kThreads) sum += x[i];
    const float mean = block_sum<kThreads>(sum, scratch) / float(p.n);
    for (int i = int(threadIdx.x); i < p.n; i += kThreads) squares += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / sqrtf(block_sum<kThreads>(squares, scratch) / float(p.n) + 1e-5f);
    for (int i = int(threadIdx.x); i < p.n; i += kThreads) x[i] = (x[i] - mean) * scale * p.weight[i] + p.bias[i];
  }
};

}  // namespace mla::gpu
