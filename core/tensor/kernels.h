#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

/// What columns are padded to where a loop takes them in whole registers, the widest there are.
inline constexpr int kernel_columns = 16;

/// The types in which rows are cached, in the order of their kernels.
enum class Element { fp32, fp16, bf16 };

/// Products of bf16 values two by two, summed as fp32. A matrix of pairs [k / 2, n, 2] holds two rows side by side; its
/// leading dimension counts elements. n is a multiple of kernel_columns but where said.
struct Bf16Kernels {
  /// C[m, n] += A[m, 2 pairs] B[pairs, n, 2]; `ahead` as for Kernels::gemm_nn.
  void (*gemm_nn)(int m, int n, int pairs, const std::uint16_t* a, std::ptrdiff_t lda, const std::uint16_t* b,
                  std::ptrdiff_t ldb, float* c, std::ptrdiff_t ldc, const std::uint16_t* ahead);
  /// C[m, n] = scale[m] C + A[pairs, m, 2]^T B[pairs, n, 2]; without a scale what is in C does not matter.
  void (*gemm_tn)(int m, int n, int pairs, const std::uint16_t* a, std::ptrdiff_t lda, const std::uint16_t* b,
                  std::ptrdiff_t ldb, const float* scale, float* c, std::ptrdiff_t ldc);
  /// Rows [rows, n] side by side, an odd one beside zeros. Any n: columns are padded with zeros.
  void (*pair_rows)(int rows, int n, const std::uint16_t* in, std::ptrdiff_t ld, std::uint16_t* out, std::ptrdiff_t ldo);
  /// The same from fp32, rounded to nearest even.
  void (*round_rows)(int rows, int n, const float* in, std::ptrdiff_t ld, std::uint16_t* out, std::ptrdiff_t ldo);
  /// Kernels::fp8_to_fp32 from the start of a group, to bf16, which is exact where the scales are powers of two.
  void (*widen_fp8)(const std::uint8_t* in, int n, const std::uint8_t* scales, std::uint16_t* out);
};

/// Products of int8 keys (bytes with 128 added and a scale for each group of 32, as fp32_to_int8 makes them) with queries
/// rounded to int8 in the same groups: exact within a group, summed as fp32. n is a multiple of kernel_columns.
struct Int8Kernels {
  /// Queries [width, n] side by side: four rows of bytes together [width / 4, n, 4], for each group of 32 rows a scale
  /// [groups, n] and what the keys' 128 adds to its sums, to be taken away [groups, n]. width is a multiple of 4.
  void (*round_queries)(int width, int n, const float* q, std::ptrdiff_t ld, std::int8_t* out, float* scales,
                        std::int32_t* offsets);
  /// scores[tokens, n] += the products of rows of keys, `ld` bytes apart, whose scales lie `scales` bytes behind their
  /// values. `ahead`: another `tokens` rows, fetched from memory meanwhile, or null.
  void (*score_rows)(int tokens, int n, int width, const std::uint8_t* rows, std::ptrdiff_t ld, std::ptrdiff_t scales,
                     const std::int8_t* q, const float* q_scales, const std::int32_t* offsets, float* scores,
                     std::ptrdiff_t lds, const std::uint8_t* ahead);
  /// Such rows [tokens, n] as bf16, two by two side by side as Bf16Kernels::pair_rows has them. Any n.
  void (*pair_rows)(int tokens, int n, const std::uint8_t* rows, std::ptrdiff_t ld, std::ptrdiff_t scales,
                    std::uint16_t* out, std::ptrdiff_t ldo);
};

/// A row x [k] of fp32 rounded to 16 bits in groups of 32: whole numbers times a scale, so that each group meets bytes
/// exactly.
struct RoundedRow {
  const std::int16_t* values;  ///< [k, in whole groups]
  const float* scales;         ///< [groups]
  const float* offsets;        ///< [groups]: what 128 in every byte adds to the group's sum
};

/// The inner loops, as one instruction set has them. All pointers may be unaligned; matrices are row-major with a leading
/// dimension in elements. The loops are single-threaded; callers split the work.
struct Kernels {
  const char* name;   ///< "portable", "avx2", "avx512", "avx512bf16"
  const char* title;  ///< as a person reads it

  /// C[m, n] = A[m, k] B[n, k]^T
  void (*gemm_nt)(int m, int n, int k, const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float* c,
                  std::ptrdiff_t ldc);
  /// C[m, n] += A[m, k] B[k, n]. `ahead`: another m rows at A's distance, fetched from memory meanwhile, or null.
  void (*gemm_nn)(int m, int n, int k, const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb, float* c,
                  std::ptrdiff_t ldc, const float* ahead);
  /// C[m, n] = scale[m] C + A[k, m]^T B[k, n]; without a scale what is in C does not matter.
  void (*gemm_tn)(int m, int n, int k, const float* a, std::ptrdiff_t lda, const float* b, std::ptrdiff_t ldb,
                  const float* scale, float* c, std::ptrdiff_t ldc);
  /// scores[rows, lds] += the products of one query a head, q [heads, width], with rows of keys in one of the three types of
  /// `Element`: head h meets the columns [h / shared * step, … + width) of `data`. Scores are written in whole registers.
  void (*score_rows[3])(int rows, int heads, int shared, int width, int step, const float* q, const void* data,
                        std::ptrdiff_t ld, float* scores, std::ptrdiff_t lds);
  /// sums[heads, lds] += the rows of values in those columns, each weighted by weights[row, head].
  void (*sum_rows[3])(int rows, int heads, int shared, int width, int step, const float* weights, std::ptrdiff_t ldw,
                      const void* data, std::ptrdiff_t ld, float* sums, std::ptrdiff_t lds);
  /// out[n] = softmax(a + b); b may be null, out may be a.
  void (*softmax)(const float* a, const float* b, float* out, int n);
  /// One block of the softmax of each column of x [rows, columns], whose values are met block by block: x becomes
  /// exp(x - top) with the top [columns] of all blocks so far, `total` the sums of all. What was summed under the old top
  /// has to be scaled by `scale`. Begin with -3.4e38 and 0. `columns` is a multiple of kernel_columns.
  void (*softmax_columns)(float* x, std::ptrdiff_t ldx, int rows, int columns, float* top, float* total, float* scale);
  /// out[n] = x / sqrt(mean(x^2) + eps) * weight
  void (*rms_norm)(const float* x, const float* weight, float eps, float* out, int n);
  /// gate[n] = silu(gate) * up
  void (*silu_multiply)(float* gate, const float* up, int n);
  void (*fp16_to_fp32)(const std::uint16_t* in, float* out, int n);
  void (*bf16_to_fp32)(const std::uint16_t* in, float* out, int n);
  /// Round to nearest even; what is too large becomes infinity.
  void (*fp32_to_fp16)(const float* in, std::uint16_t* out, int n);
  void (*fp32_to_bf16)(const float* in, std::uint16_t* out, int n);
  /// Bytes with a scale for each group of 32 (int8, fp16 scales) or 128 (fp8, fp32 scales), see core/cache/row_format.h. The
  /// first value is the one at `skip` of its group, `scales` points to that group's. A group with a value that is no finite
  /// number comes back as not a number.
  void (*int8_to_fp32)(const std::uint8_t* in, int skip, int n, const std::uint8_t* scales, float* out);
  void (*fp32_to_int8)(const float* in, int n, std::uint8_t* out, std::uint8_t* scales);
  void (*fp8_to_fp32)(const std::uint8_t* in, int skip, int n, const std::uint8_t* scales, float* out);
  void (*fp32_to_fp8)(const float* in, int n, std::uint8_t* out, std::uint8_t* scales);
  /// y[n] = W[n, k] x[k] of rows that lie `ld` bytes apart: bf16, or bytes with their scales behind them as fp32_to_int8
  /// makes them. x stays fp32, or is what round_row made of it.
  void (*bf16_rows)(int n, int k, const float* x, const std::uint8_t* rows, std::ptrdiff_t ld, float* y);
  void (*int8_rows)(int n, int k, const RoundedRow& x, const std::uint8_t* rows, std::ptrdiff_t ld, float* y);
  /// Makes a RoundedRow of x [k].
  void (*round_row)(int k, const float* x, std::int16_t* values, float* scales, float* offsets);
  /// out[n] = elements first … first + n of the stream `key`, uniform in [-scale, scale); first must be even. The same bits
  /// in every instruction set.
  void (*fill_uniform)(std::uint64_t key, std::uint64_t first, float scale, float* out, std::int64_t n);

  const Bf16Kernels* bf16;  ///< null where the processor has no such products
  const Int8Kernels* int8;  ///< likewise; never without the others
};

/// Kernels that this processor can run, the best one last.
const std::vector<const Kernels*>& available_kernels();

/// The kernels by name, or the best ones for an empty name; the error lists what this processor has.
Result<const Kernels*> find_kernels(std::string_view name);

}  // namespace mla
