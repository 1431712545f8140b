#pragma once

#include "core/engine/trace.h"
#include "core/model/weights.h"
#include "core/tensor/kernels.h"
#include "core/tensor/thread_pool.h"

namespace mla {

/// What a product needs to run on the CPU: the inner loops, the threads, and where its work is counted.
struct Compute {
  const Kernels& kernels;
  ThreadPool& pool;
  Work work;

  /// y[m, rows] = x[m, cols] W^T + bias
  void linear(const Linear& linear, const float* x, int m, float* y);
  /// x[m, n] in place, row by row: RMSNorm with `weight` [n].
  void rms_norm(const Weight& weight, double eps, const float* x, int m, float* out);
  /// x[m, n] in place, row by row: LayerNorm (eps 1e-5, PyTorch's default) with weight and bias [n].
  void layer_norm(const Weight& weight, const Weight& bias, float* x, int m);
  /// Counts a product of 2 m n k operations that reads `weight_bytes` of weights.
  void count(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weight_bytes);
};

}  // namespace mla
