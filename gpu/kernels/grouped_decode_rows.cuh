#pragma once

// Eight neighbouring values of a cached row at a time.

#include "gpu/kernels/cache_page.cuh"
#include "gpu/kernels/vectors.cuh"
#include "gpu/ops/head_columns.h"

namespace mla::gpu {

/// HeadColumns of one head.
struct HeadRun {
  CacheDtype dtype = CacheDtype::fp32;
  int count = 0;
  int column = 0;  ///< of the first value
  int at = 0;      ///< bytes from the row's begin to the first value
  int scaled = 0;  ///< bytes to the first scale of the head's unit
  int inside = 0;  ///< values of the unit before the first
};

MLA_DEVICE HeadRun run_of(const RowLayout& layout, const HeadColumns& columns, int head) {
  const int column = columns.offset + head * columns.stride;
  const RowPart& part = part_of(layout, column);
  const int i = column - part.column, unit = i / part.unit;
  const int width = part.dtype == CacheDtype::fp32                                     ? 4
                    : part.dtype == CacheDtype::fp16 || part.dtype == CacheDtype::bf16 ? 2
                                                                                       : 1;
  const int scale_bytes = part.dtype == CacheDtype::int8 ? 2 : 4;
  return {part.dtype,          columns.count, column, part.at + i * width, part.scaled + unit * part.scales * scale_bytes,
          i - unit * part.unit};
}

/// float_of_fp8 without a branch: the code's exponent and mantissa are a float's, 2^120 too small.
MLA_DEVICE float widened_fp8(std::uint32_t code) {
  const std::uint32_t magnitude = code & 0x7f;
  const float value = float_of_bits((code & 0x80) << 24 | magnitude << 20) * 0x1p120f;
  return magnitude == 0x7f ? float_of_bits(0x7fc00000u) : value;
}

/// byte - 128 of a stored int8: the byte becomes the mantissa of 2^23 + byte.
MLA_DEVICE float widened_int8(std::uint32_t byte) { return float_of_bits(0x4b000000u | byte) - 8388736.0f; }

/// Eight values from column `column` of a head, a multiple of 8, where HeadColumns::aligned.
template <CacheDtype kDtype>
MLA_DEVICE void load_eight(const unsigned char* row, const HeadRun& run, int column, float (&x)[8]) {
  if constexpr (kDtype == CacheDtype::fp32) {
    const auto* from = reinterpret_cast<const Words4*>(row + run.at + column * 4);
    const Words4 a = from[0], b = from[1];
#pragma unroll
    for (int i = 0; i < 4; ++i) x[i] = float_of_bits(a.word[i]), x[4 + i] = float_of_bits(b.word[i]);
  } else if constexpr (kDtype == CacheDtype::bf16 || kDtype == CacheDtype::fp16) {
    const Words4 a = *reinterpret_cast<const Words4*>(row + run.at + column * 2);
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const std::uint16_t low = std::uint16_t(a.word[i]), high = std::uint16_t(a.word[i] >> 16);
      x[2 * i] = kDtype == CacheDtype::bf16 ? float_of_bf16(low) : float_of_fp16(low);
      x[2 * i + 1] = kDtype == CacheDtype::bf16 ? float_of_bf16(high) : float_of_fp16(high);
    }
  } else {
    const Words2 a = *reinterpret_cast<const Words2*>(row + run.at + column);
    const unsigned char* scales = row + run.scaled;
    const int i = run.inside + column;
    const float scale = kDtype == CacheDtype::int8
                            ? float_of_fp16(reinterpret_cast<const std::uint16_t*>(scales)[i / kInt8Group])
                            : reinterpret_cast<const float*>(scales)[i / kFp8Group];
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const std::uint32_t byte = a.word[j / 4] >> j % 4 * 8 & 0xff;
      x[j] = (kDtype == CacheDtype::int8 ? widened_int8(byte) : widened_fp8(byte)) * scale;
    }
  }
}

/// Eight values from column `column` of a head in any layout, one by one; zeros beyond its last.
MLA_DEVICE void load_eight_anyhow(const RowLayout& layout, const unsigned char* page, int slot, const HeadRun& run,
                                  int column, float (&x)[8]) {
#pragma unroll
  for (int i = 0; i < 8; ++i)
    x[i] = column + i < run.count ? cached_value(layout, page, slot, run.column + column + i) : 0.0f;
}

/// The same, at once where they are `aligned`. `column` is a multiple of 8.
MLA_DEVICE void load_eight_or_fewer(const RowLayout& layout, const unsigned char* page, int slot, const HeadRun& run,
                                    bool aligned, int column, float (&x)[8]) {
  if (!aligned || column >= run.count) return load_eight_anyhow(layout, page, slot, run, column, x);
  const unsigned char* row = page + slot * layout.bytes;
  switch (run.dtype) {
    case CacheDtype::fp32:
      return load_eight<CacheDtype::fp32>(row, run, column, x);
    case CacheDtype::fp16:
      return load_eight<CacheDtype::fp16>(row, run, column, x);
    case CacheDtype::bf16:
      return load_eight<CacheDtype::bf16>(row, run, column, x);
    case CacheDtype::fp8:
      return load_eight<CacheDtype::fp8>(row, run, column, x);
    case CacheDtype::int8:
      return load_eight<CacheDtype::int8>(row, run, column, x);
  }
}

}  // namespace mla::gpu
