#pragma once

#include <cstddef>
#include <cstdint>

#include "core/engine/trace.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// What one layer's attention rows of a pass look like: two or three arrays [positions, heads, stride].
struct TraceShape {
  int heads = 0;
  bool rope = false;
  int first = 0;      ///< position of the first query
  int positions = 0;  ///< queries of a layer …
  int from = 0;       ///< … of which those from here on are reported
  std::int64_t stride = 0;

  std::int64_t array_values() const { return std::int64_t(positions) * heads * stride; }
  std::int64_t bytes() const { return array_values() * (rope ? 3 : 2) * std::int64_t(sizeof(float)); }
  /// For the attention to write into the bytes that begin there.
  RowTrace place(std::byte* at) const;
  /// The rows that lie there on the host, after those that there are.
  void read(const std::byte* at, int layer, AttentionRows& rows) const;
};

/// The stride of a step's rows of so many keys: with room to grow by an eighth, so that a captured step lasts.
std::int64_t step_stride(int keys);

}  // namespace mla::gpu
