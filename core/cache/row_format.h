#pragma once

#include <cstddef>
#include <vector>

#include "core/spec/cache_row.h"
#include "core/tensor/kernels.h"

namespace mla {

/// Where the values of a cache row lie, and how they go in and out: segment by segment its values, then their scales.
/// int8 is kept with 128 added, as the processors' byte products want it: value = (byte - 128) scale, scale = max |value| of
/// the group / 127. fp8 is E4M3 with scale = 2^ceil(log2(max(max |value| / 448, 1e-4))) (FlashMLA's row at (512, 64)).
class RowFormat {
 public:
  /// Values of one kind, all heads of a segment.
  struct Part {
    RowSegment segment;
    CacheDtype dtype;           ///< bf16 for the RoPE key beside fp8
    int column = 0;             ///< its first
    int scales = 0;             ///< of each unit
    std::ptrdiff_t at = 0;      ///< bytes before its values
    std::ptrdiff_t scaled = 0;  ///< bytes before its scales
  };

  RowFormat(std::vector<RowSegment> row, CacheDtype dtype);

  /// Segment by segment.
  const std::vector<Part>& parts() const { return parts_; }
  int values() const { return values_; }
  std::ptrdiff_t bytes() const { return bytes_; }
  CacheDtype dtype() const { return dtype_; }
  /// Whether values have scales, so that a row cannot be read as an array of one type.
  bool scaled() const { return dtype_ == CacheDtype::fp8 || dtype_ == CacheDtype::int8; }
  /// The part that holds a column.
  const Part& part_of(int column) const;
  /// Bytes from the segment that begins with `column` to the row's end.
  std::ptrdiff_t bytes_from(int column) const { return bytes_ - part_of(column).at; }

  /// Columns [first, first + n) of `row`, rounded; whole units where they have scales.
  void encode(const Kernels& kernels, int first, const float* values, int n, std::byte* row) const;
  void decode(const Kernels& kernels, const std::byte* row, int first, float* out, int n) const;
  /// An fp8 row [values] as bf16, which holds its values exactly; where Kernels::bf16 is there.
  void widen(const Kernels& kernels, const std::byte* row, std::uint16_t* out) const;

 private:
  void encode(const Kernels& kernels, const Part& part, int offset, const float* values, int n, std::byte* row) const;
  void decode(const Kernels& kernels, const Part& part, const std::byte* row, int offset, float* out, int n) const;

  std::vector<Part> parts_;
  CacheDtype dtype_;
  int values_ = 0;
  std::ptrdiff_t bytes_ = 0;
};

}  // namespace mla
