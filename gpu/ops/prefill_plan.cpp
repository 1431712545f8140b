#include <iterator>

#include "gpu/ops/prefill_matrix.h"
#include "gpu/ops/prefill_tile.h"

namespace mla::gpu {
namespace {

/// Fewer queries than these fill the device better with splits of the tokens.
constexpr int kFewPositions = 8;

/// Whether eight values can be brought at once: copied as they lie, or widened by one scale.
bool by_eight(const RowLayout& row, const HeadColumns& columns) {
  if (columns.count == 0) return true;
  const RowPart& part = part_holding(row, columns.offset);
  const bool whole = columns.count % 8 == 0 && (columns.offset - part.column) % 8 == 0 && columns.stride % 8 == 0;
  if (row.dtype == CacheDtype::fp8 || row.dtype == CacheDtype::int8)
    return whole && (part.scales == 0 || part.unit % 8 == 0);
  return columns.aligned || (whole && row.page == PageLayout::tiles && part.column % 8 == 0);
}

bool suits_matrix_units(const DeviceFacts& device, const Prefill& p) {
  const RowLayout& row = p.problem.cache.row;
  return device.capability() >= 80 && row.dtype != CacheDtype::fp32 && by_eight(row, p.nope) && by_eight(row, p.rope) &&
         by_eight(row, p.value);
}

}  // namespace

Prefill prefill_of(const DeviceAttention& a) {
  return {a, nope_columns(a), rope_columns(a), value_columns(a), a.heads / a.layout.kv_heads};
}

bool values_in_keys(const DeviceAttention& a) {
  const KvLayout& l = a.layout;
  const bool inside = l.value_offset >= l.nope_offset && l.value_offset + l.value <= l.nope_offset + l.nope;
  return inside && (l.value_offset - l.nope_offset) % 8 == 0 && (l.kv_heads == 1 || l.value_stride == l.nope_stride);
}

bool prefill_handles(const DeviceAttention& a) {
  return a.positions >= kFewPositions && !a.trace.weights && !a.trace.nope && !a.trace.rope;
}

PrefillPlan plan_prefill(const DeviceFacts& device, const DeviceAttention& a) {
  PrefillPlan plan;
  if (!suits_matrix_units(device, prefill_of(a))) return plan;
  for (int tile = 0; tile < int(std::size(kPrefillTiles)); ++tile) {
    if (a.layout.value > PrefillShared::kMostColumns * kPrefillTiles[tile].column_warps) continue;
    for (const int stages : {2, 1})
      if (PrefillShared(kPrefillTiles[tile], a, values_in_keys(a), stages).bytes <= device.shared_bytes)
        return {kPrefillMatrix, tile, stages};
  }
  return plan;
}

}  // namespace mla::gpu
