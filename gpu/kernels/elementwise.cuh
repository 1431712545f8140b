#pragma once

// One value or a few per thread, nothing shared.

#include "gpu/kernels/weight_chunk.cuh"
#include "gpu/ops/rows.h"

namespace mla::gpu {

template <WeightType kType>
struct GatherRows {
  static constexpr const char* kName = "gather_rows";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    Matrix table;
    const int* ids;
    float* out;
    std::int64_t stride;
  };
  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const int id = p.ids[blockIdx.x];
    float* out = p.out + blockIdx.x * p.stride;
    for (int col = int(threadIdx.x) * 4; col < p.table.cols; col += kThreads * 4) {
      float values[4];
      weights_at<kType>(p.table, id, col, values);
      for (int i = 0; i < 4 && col + i < p.table.cols; ++i) out[col + i] = values[i];
    }
  }
};

/// What a thread of an elementwise kernel does with value i.
template <class Function>
struct Elementwise {
  static constexpr const char* kName = Function::kName;
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 1;
  struct Params {
    float* x;
    const float* y;
    std::int64_t count;
  };
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t i = std::int64_t(blockIdx.x) * kThreads + threadIdx.x;
    if (i < p.count) p.x[i] = Function::of(p.x[i], p.y + i);
  }
};

struct AddValues {
  static constexpr const char* kName = "add";
  static MLA_DEVICE float of(float x, const float* y) { return x + *y; }
};

struct ReluValues {
  static constexpr const char* kName = "relu";
  static MLA_DEVICE float of(float x, const float*) { return x > 0.0f ? x : 0.0f; }
};

struct SiluTimes {
  static constexpr const char* kName = "silu_multiply";
  static MLA_DEVICE float of(float x, const float* y) { return x / (1.0f + expf(-x)) * *y; }
};

struct CopyBlock {
  static constexpr const char* kName = "copy_block";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  using Params = BlockCopy;
  /// Blocks: inner within outer.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t outer = blockIdx.x / unsigned(p.inner), inner = blockIdx.x % unsigned(p.inner);
    const float* from = p.from + outer * p.from_outer + inner * p.from_inner;
    float* to = p.to + outer * p.to_outer + inner * p.to_inner;
    for (int i = int(threadIdx.x); i < p.width; i += kThreads) to[i] = from[i];
  }
};

}  // namespace mla::gpu
