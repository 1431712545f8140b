#pragma once

#include <cstdint>
#include <vector>

#include "core/spec/model_spec.h"

namespace mla {

/// Columns of a cache row whose quantisation scales are theirs alone: `units` runs (heads) of `unit` values each.
struct RowSegment {
  int unit = 0;
  int units = 1;
  bool rope_key = false;  ///< the one RoPE key that MLA's heads share: fp8 leaves it in bf16
  int values() const { return unit * units; }
  bool operator==(const RowSegment&) const = default;
};

/// Values of a unit that share a scale: int8 in fp16 (as llama.cpp's q8_0), fp8 (E4M3) in fp32 (as FlashMLA).
inline constexpr int kInt8Group = 32, kFp8Group = 128;

/// What one layer keeps of a token, in the order in which it lies: MLA the latent, then the RoPE key; expanded MLA, MHA, GQA
/// and MQA the keys of all heads, then their values; the tutorial's block, expanded, the latent, then values. Nothing where
/// the path keeps nothing.
std::vector<RowSegment> cache_row(const ModelSpec& spec, AttentionPath path);

/// Bytes of a row as it is stored, scales included: e.g. (512, 64) in fp8 512 + 4 · 4 + 2 · 64 = 656, in int8 612.
std::int64_t row_bytes(const std::vector<RowSegment>& row, CacheDtype dtype);

/// The type of a segment's values: that of the cache, but for the RoPE key beside fp8.
CacheDtype dtype_of(const RowSegment& segment, CacheDtype dtype);

/// Bytes of one value, its scale left out.
constexpr int value_bytes(CacheDtype dtype) {
  if (dtype == CacheDtype::fp32) return 4;
  return dtype == CacheDtype::fp16 || dtype == CacheDtype::bf16 ? 2 : 1;
}

/// Bytes of a group's scale, where the type has one.
constexpr int scale_bytes(CacheDtype dtype) { return dtype == CacheDtype::int8 ? 2 : 4; }

/// Bytes of one of its segments.
std::int64_t segment_bytes(const RowSegment& segment, CacheDtype dtype);

/// Groups of one unit that have a scale; 0 where the type has none.
int scales_of(const RowSegment& segment, CacheDtype dtype);

}  // namespace mla
