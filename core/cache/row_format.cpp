#include "core/cache/row_format.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace mla {
namespace {

std::uint8_t* as_bytes(std::byte* p) { return reinterpret_cast<std::uint8_t*>(p); }
const std::uint8_t* as_bytes(const std::byte* p) { return reinterpret_cast<const std::uint8_t*>(p); }
std::uint16_t* as_halves(std::byte* p) { return reinterpret_cast<std::uint16_t*>(p); }
const std::uint16_t* as_halves(const std::byte* p) { return reinterpret_cast<const std::uint16_t*>(p); }

constexpr int group_of(CacheDtype dtype) { return dtype == CacheDtype::int8 ? kInt8Group : kFp8Group; }

}  // namespace

RowFormat::RowFormat(std::vector<RowSegment> row, CacheDtype dtype) : dtype_(dtype) {
  for (const RowSegment& segment : row) {
    Part part{segment, dtype_of(segment, dtype), values_, scales_of(segment, dtype), bytes_, 0};
    part.scaled = bytes_ + std::ptrdiff_t(segment.values()) * value_bytes(part.dtype);
    parts_.push_back(part);
    values_ += segment.values();
    bytes_ += segment_bytes(segment, dtype);
  }
}

const RowFormat::Part& RowFormat::part_of(int column) const {
  std::size_t i = parts_.size() - 1;
  while (i > 0 && parts_[i].column > column) --i;
  return parts_[i];
}

void RowFormat::encode(const Kernels& kernels, int first, const float* values, int n, std::byte* row) const {
  for (const Part& part : parts_) {
    const int from = std::max(first, part.column), to = std::min(first + n, part.column + part.segment.values());
    if (from < to) encode(kernels, part, from - part.column, values + (from - first), to - from, row);
  }
}

void RowFormat::encode(const Kernels& kernels, const Part& part, int offset, const float* values, int n,
                       std::byte* row) const {
  std::byte* to = row + part.at + std::ptrdiff_t(offset) * value_bytes(part.dtype);
  switch (part.dtype) {
    case CacheDtype::fp32:
      std::memcpy(to, values, std::size_t(n) * 4);
      return;
    case CacheDtype::fp16:
      return kernels.fp32_to_fp16(values, as_halves(to), n);
    case CacheDtype::bf16:
      return kernels.fp32_to_bf16(values, as_halves(to), n);
    case CacheDtype::fp8:
    case CacheDtype::int8:
      break;
  }
  const int unit = part.segment.unit;
  assert(offset % unit == 0 && n % unit == 0);
  const auto quantise = part.dtype == CacheDtype::int8 ? kernels.fp32_to_int8 : kernels.fp32_to_fp8;
  for (int i = 0; i < n; i += unit) {
    const std::ptrdiff_t scale = std::ptrdiff_t(offset + i) / unit * part.scales * scale_bytes(part.dtype);
    quantise(values + i, unit, as_bytes(to) + i, as_bytes(row + part.scaled + scale));
  }
}

void RowFormat::decode(const Kernels& kernels, const std::byte* row, int first, float* out, int n) const {
  for (const Part& part : parts_) {
    const int from = std::max(first, part.column), to = std::min(first + n, part.column + part.segment.values());
    if (from < to) decode(kernels, part, row, from - part.column, out + (from - first), to - from);
  }
}

void RowFormat::decode(const Kernels& kernels, const Part& part, const std::byte* row, int offset, float* out, int n) const {
  const std::byte* from = row + part.at + std::ptrdiff_t(offset) * value_bytes(part.dtype);
  switch (part.dtype) {
    case CacheDtype::fp32:
      std::memcpy(out, from, std::size_t(n) * 4);
      return;
    case CacheDtype::fp16:
      return kernels.fp16_to_fp32(as_halves(from), out, n);
    case CacheDtype::bf16:
      return kernels.bf16_to_fp32(as_halves(from), out, n);
    case CacheDtype::fp8:
    case CacheDtype::int8:
      break;
  }
  const auto widen = part.dtype == CacheDtype::int8 ? kernels.int8_to_fp32 : kernels.fp8_to_fp32;
  const int unit = part.segment.unit, group = group_of(part.dtype);
  for (int done = 0; done < n;) {
    const int inside = (offset + done) % unit, count = std::min(n - done, unit - inside);
    const std::ptrdiff_t scale = std::ptrdiff_t((offset + done) / unit) * part.scales + inside / group;
    widen(as_bytes(from) + done, inside % group, count, as_bytes(row + part.scaled + scale * scale_bytes(part.dtype)),
          out + done);
    done += count;
  }
}

void RowFormat::widen(const Kernels& kernels, const std::byte* row, std::uint16_t* out) const {
  for (const Part& part : parts_) {
    const int unit = part.segment.unit, values = part.segment.values();
    if (part.dtype == CacheDtype::bf16)
      std::memcpy(out + part.column, row + part.at, std::size_t(values) * 2);
    else
      for (int u = 0; u < part.segment.units; ++u)
        kernels.bf16->widen_fp8(as_bytes(row + part.at) + u * unit, unit, as_bytes(row + part.scaled) + u * part.scales * 4,
                                out + part.column + u * unit);
  }
}

}  // namespace mla
