#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

/// The inner loops, as one instruction set has them. All pointers may be unaligned; matrices are row-major with a leading
/// dimension in elements. The loops are single-threaded; callers split the work.
struct Kernels {
  const char* name;   ///< "portable", "avx2", "avx512"
  const char* title;  ///< as a person reads it

  /// C[m, n] = A[m, k] B[n, k]^T
  void (*gemm_nt)(int m, int n, int k, const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float* c,
                  std::ptrdiff_t ldc);
  /// C[m, n] += A[m, k] B[k, n]
  void (*gemm_nn)(int m, int n, int k, const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float* c,
                  std::ptrdiff_t ldc);
  /// out[n] = softmax(a + b); b may be null, out may be a.
  void (*softmax)(const float* a, const float* b, float* out, int n);
  /// One block of a softmax that meets its values block by block: x[n] becomes exp(x - top) with the top of all blocks so
  /// far, `total` the sum of all. Returns the factor by which what was summed under the old top has to be scaled. Begin with
  /// -3.4e38 and 0.
  float (*softmax_step)(float* x, int n, float* top, float* total);
  /// out[n] = x / sqrt(mean(x^2) + eps) * weight
  void (*rms_norm)(const float* x, const float* weight, float eps, float* out, int n);
  /// gate[n] = silu(gate) * up
  void (*silu_multiply)(float* gate, const float* up, int n);
  void (*fp16_to_fp32)(const std::uint16_t* in, float* out, int n);
  void (*bf16_to_fp32)(const std::uint16_t* in, float* out, int n);
  /// Round to nearest even; what is too large becomes infinity.
  void (*fp32_to_fp16)(const float* in, std::uint16_t* out, int n);
  void (*fp32_to_bf16)(const float* in, std::uint16_t* out, int n);
  /// out[n] = elements first … first + n of the stream `key`, uniform in [-scale, scale); first must be even. The same bits
  /// in every instruction set.
  void (*fill_uniform)(std::uint64_t key, std::uint64_t first, float scale, float* out, std::int64_t n);
};

/// Kernels that this processor can run, the best one last.
const std::vector<const Kernels*>& available_kernels();

/// The kernels by name, or the best ones for an empty name; the error lists what this processor has.
Result<const Kernels*> find_kernels(std::string_view name);

}  // namespace mla
