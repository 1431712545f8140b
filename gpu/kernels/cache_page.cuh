#pragma once

// Values of cached rows, as gpu/ops/attention.h lays them out.

#include "gpu/kernels/numbers.cuh"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// The page that holds a token of a sequence.
MLA_DEVICE const unsigned char* page_of(const CacheView& cache, int sequence, int token) {
  return reinterpret_cast<const unsigned char*>(cache.pages[token / kPageTokens]) + cache.offset +
         sequence * cache.sequence_bytes;
}

/// Bytes from a page's begin to a column of the page's row `slot`, of 16-bit values in PageLayout::tiles.
MLA_BOTH int tiled_offset(int slot, int column) {
  return column / 64 * (kPageTokens * 128) + slot * 128 + ((column / 8 % 8) ^ (slot % 8)) * 16 + column % 8 * 2;
}

// Rows of odd sizes put numbers at addresses that their type does not allow.

MLA_DEVICE std::uint16_t load_16(const unsigned char* at) {
  if (reinterpret_cast<std::uintptr_t>(at) % 2 == 0) return *reinterpret_cast<const std::uint16_t*>(at);
  return std::uint16_t(at[0] | at[1] << 8);
}

MLA_DEVICE std::uint32_t load_32(const unsigned char* at) {
  if (reinterpret_cast<std::uintptr_t>(at) % 4 == 0) return *reinterpret_cast<const std::uint32_t*>(at);
  return std::uint32_t(at[0]) | std::uint32_t(at[1]) << 8 | std::uint32_t(at[2]) << 16 | std::uint32_t(at[3]) << 24;
}

MLA_DEVICE const RowPart& part_of(const RowLayout& layout, int column) {
  return layout.part[layout.parts > 1 && column >= layout.part[1].column ? 1 : 0];
}

/// The scale of a quantised part's value `i`.
MLA_DEVICE float scale_of(const RowPart& part, const unsigned char* row, int i) {
  const int unit = i / part.unit, inside = i - unit * part.unit;
  const unsigned char* scales = row + part.scaled;
  if (part.dtype == CacheDtype::int8) return float_of_fp16(load_16(scales + 2 * (unit * part.scales + inside / kInt8Group)));
  return float_of_bits(load_32(scales + 4 * (unit * part.scales + inside / kFp8Group)));
}

/// A column of the page's row `slot`.
MLA_DEVICE float cached_value(const RowLayout& layout, const unsigned char* page, int slot, int column) {
  const RowPart& part = part_of(layout, column);
  const int i = column - part.column;
  const unsigned char* row = page + slot * layout.bytes;
  const unsigned char* at = layout.page == PageLayout::tiles ? page + tiled_offset(slot, column) : row + part.at + 2 * i;
  switch (part.dtype) {
    case CacheDtype::fp32:
      return float_of_bits(load_32(row + part.at + 4 * i));
    case CacheDtype::fp16:
      return float_of_fp16(load_16(at));
    case CacheDtype::bf16:
      return float_of_bf16(load_16(at));
    case CacheDtype::fp8:
      return float_of_fp8(row[part.at + i]) * scale_of(part, row, i);
    case CacheDtype::int8:
      return float(int(row[part.at + i]) - 128) * scale_of(part, row, i);
  }
  return 0;
}

}  // namespace mla::gpu
