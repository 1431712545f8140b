#pragma once

#include "core/cache/row_format.h"
#include "core/model/weight_values.h"

namespace mla {

/// A matrix whose rows are held in bf16 or int8: rounded, and smaller. Rows lie format.bytes() apart.
struct NarrowMatrix {
  RowFormat format;
  Buffer<std::byte> bytes;

  NarrowMatrix(int rows, int cols, WeightsDtype dtype)
      : format({{cols}}, dtype == WeightsDtype::int8 ? CacheDtype::int8 : CacheDtype::bf16),
        bytes(std::size_t(rows) * std::size_t(format.bytes())) {}
  /// Rounds `count` rows, given as fp32.
  void encode(int first, int count, const float* values);
  std::byte* row(int r) { return bytes.data() + std::ptrdiff_t(r) * format.bytes(); }
  const std::byte* row(int r) const { return bytes.data() + std::ptrdiff_t(r) * format.bytes(); }
  bool int8() const { return format.dtype() == CacheDtype::int8; }
};
using NarrowValues = Lazy<NarrowMatrix>;

}  // namespace mla
