#include "core/spec/cache_row.h"

namespace mla {

std::vector<RowSegment> cache_row(const ModelSpec& spec, AttentionPath path) {
  const AttentionSpec& a = spec.attention;
  if (path == AttentionPath::uncached) return {};
  if (!a.is_mla()) {
    const RowSegment heads{a.head_dim(), a.num_key_value_heads};
    return {heads, heads};
  }
  const RowSegment latent{a.kv_lora_rank}, values{a.v_head_dim, a.num_attention_heads};
  if (path == AttentionPath::expanded) {
    if (spec.block == BlockKind::toy) return {latent, values};
    return {{a.head_dim(), a.num_attention_heads}, values};
  }
  if (a.qk_rope_head_dim == 0) return {latent};
  return {latent, {a.qk_rope_head_dim, 1, true}};
}

int scales_of(const RowSegment& segment, CacheDtype dtype) {
  if (dtype == CacheDtype::int8) return (segment.unit + kInt8Group - 1) / kInt8Group;
  if (dtype == CacheDtype::fp8 && !segment.rope_key) return (segment.unit + kFp8Group - 1) / kFp8Group;
  return 0;
}

CacheDtype dtype_of(const RowSegment& segment, CacheDtype dtype) {
  return dtype == CacheDtype::fp8 && segment.rope_key ? CacheDtype::bf16 : dtype;
}

std::int64_t segment_bytes(const RowSegment& segment, CacheDtype dtype) {
  const std::int64_t each = std::int64_t(segment.unit) * value_bytes(dtype_of(segment, dtype)) +
                            std::int64_t(scales_of(segment, dtype)) * scale_bytes(dtype);
  return each * segment.units;
}

std::int64_t row_bytes(const std::vector<RowSegment>& row, CacheDtype dtype) {
  std::int64_t bytes = 0;
  for (const RowSegment& segment : row) bytes += segment_bytes(segment, dtype);
  return bytes;
}

}  // namespace mla
