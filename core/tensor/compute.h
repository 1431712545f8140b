#pragma once

#include <vector>

#include "core/engine/trace.h"
#include "core/model/weights.h"
#include "core/tensor/kernels.h"
#include "core/tensor/thread_pool.h"

namespace mla {

/// What a product needs to run on the CPU: the inner loops, the threads, and where its work is counted.
struct Compute {
  Compute(const Kernels& its_kernels, ThreadPool& its_pool)
      : kernels(its_kernels),
        pool(its_pool),
        buffers(std::size_t(its_pool.threads())),
        rounded(std::size_t(its_pool.threads()) + 1) {}

  const Kernels& kernels;
  ThreadPool& pool;
  Work work;

  /// y[m, rows] = x[m, cols] W^T + bias
  void linear(const Linear& linear, const float* x, int m, float* y);
  /// y[m, n] = x[m, cols] W[first … first + n, cols]^T, rows of x and y at those distances; from thread `thread` of the
  /// pool. One row of x meets narrow weights as they are stored; for more, a few rows of them at a time become fp32.
  void rows(const Weight& weight, int first, int n, const float* x, std::ptrdiff_t ldx, int m, float* y, std::ptrdiff_t ldy,
            int thread);
  /// Makes room for what rows() needs of this weight for `m` rows of x, on every thread; to be called before the pool runs,
  /// so that memory that runs out can be reported.
  void prepare(const Weight& weight, int m);
  /// Room for kFewRows rows of a weight as fp32; after prepare().
  static constexpr int kFewRows = 16;
  float* scratch(int thread) { return buffers[std::size_t(thread)].data(); }
  /// x[m, n] in place, row by row: RMSNorm with `weight` [n].
  void rms_norm(const Weight& weight, double eps, const float* x, int m, float* out);
  /// x[m, n] in place, row by row: LayerNorm (eps 1e-5, PyTorch's default) with weight and bias [n].
  void layer_norm(const Weight& weight, const Weight& bias, float* x, int m);
  /// Counts a product of 2 m n k operations that reads `weight_bytes` of weights.
  void count(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weight_bytes);

  /// Room for a row that meets int8 weights.
  struct Rounded {
    Buffer<std::int16_t> values;
    Buffer<float> scales, offsets;
    RoundedRow row() const { return {values.data(), scales.data(), offsets.data()}; }
  };
  std::vector<Buffer<float>> buffers;  ///< one a thread
  std::vector<Rounded> rounded;        ///< likewise, and one that all threads read
};

}  // namespace mla
