#include "gpu/ops/grouped.h"

#include "gpu/kernels/grouped_decode.cuh"
#include "gpu/ops/head_columns.h"

namespace mla::gpu {
namespace {

using Widest = GroupedDecode<CacheDtype::fp32, true, 4, 4>;

bool same_type(const DeviceAttention& a) {
  const RowLayout& row = a.cache.row;
  const CacheDtype values = part_holding(row, a.layout.value_offset).dtype;
  if (a.layout.nope > 0 && part_holding(row, a.layout.nope_offset).dtype != values) return false;
  return a.layout.rope == 0 || part_holding(row, a.layout.rope_offset).dtype == values;
}

bool at_once(const DeviceAttention& a) {
  return same_type(a) && (a.layout.nope == 0 || nope_columns(a).aligned) &&
         (a.layout.rope == 0 || rope_columns(a).aligned) && value_columns(a).aligned;
}

template <CacheDtype kDtype, bool kAligned, int kOwn, int kTeams>
void launch_for(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  using Kernel = GroupedDecode<kDtype, kAligned, kOwn, kTeams>;
  const DeviceAttention& a = split.problem;
  typename Kernel::Params params{split,
                                 nope_columns(a),
                                 rope_columns(a),
                                 value_columns(a),
                                 a.heads / a.layout.kv_heads,
                                 plan.tiles / a.layout.kv_heads};
  launch<Kernel>(stream, {int(plan.blocks(a))}, params, Kernel::shared_bytes(a.layout.nope, a.layout.rope));
}

template <CacheDtype kDtype>
void launch_heads(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  switch (plan.tile_heads) {
    case 1:
      return launch_for<kDtype, true, 1, 1>(stream, plan, split);
    case 4:
      return launch_for<kDtype, true, 4, 1>(stream, plan, split);
    case 8:
      return launch_for<kDtype, true, 4, 2>(stream, plan, split);
    default:
      return launch_for<kDtype, true, 4, 4>(stream, plan, split);
  }
}

void launch_any(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  if (plan.tile_heads == 1) return launch_for<CacheDtype::fp32, false, 1, 1>(stream, plan, split);
  launch_for<CacheDtype::fp32, false, 4, 1>(stream, plan, split);
}

}  // namespace

bool grouped_decode_handles(const DeviceFacts& device, const DeviceAttention& a) {
  return a.positions == 1 && !values_are_keys(a) && a.layout.value <= Widest::kMostValues &&
         Widest::shared_bytes(a.layout.nope, a.layout.rope) <= std::size_t(device.shared_bytes);
}

AttentionPlan plan_grouped_decode(const DeviceAttention& a) {
  const int shared = a.heads / a.layout.kv_heads;
  AttentionPlan plan;
  plan.kind = AttentionKind::grouped;
  plan.grouped_name = at_once(a) ? kGroupedDecode : kGroupedDecodeAny;
  plan.tile_heads = shared == 1 ? 1 : shared <= 4 || !at_once(a) ? 4 : shared <= 8 ? 8 : Widest::kHeads;
  plan.tiles = (shared + plan.tile_heads - 1) / plan.tile_heads * a.layout.kv_heads;
  return plan;
}

void grouped_decode(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  const DeviceAttention& a = split.problem;
  if (!at_once(a)) return launch_any(stream, plan, split);
  switch (part_holding(a.cache.row, a.layout.value_offset).dtype) {
    case CacheDtype::fp32:
      return launch_heads<CacheDtype::fp32>(stream, plan, split);
    case CacheDtype::fp16:
      return launch_heads<CacheDtype::fp16>(stream, plan, split);
    case CacheDtype::bf16:
      return launch_heads<CacheDtype::bf16>(stream, plan, split);
    case CacheDtype::fp8:
      return launch_heads<CacheDtype::fp8>(stream, plan, split);
    case CacheDtype::int8:
      return launch_heads<CacheDtype::int8>(stream, plan, split);
  }
}

}  // namespace mla::gpu
