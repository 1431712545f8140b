#include "gpu/ops/decode_hopper.h"

#include <algorithm>

#include "gpu/kernels/latent_decode_wgmma.cuh"

namespace mla::gpu {
namespace {

using Kernel = LatentDecodeWgmma<false>;
using TracedKernel = LatentDecodeWgmma<true>;

/// Pages that make a block's own effort (its queries, its share of the sums) worth while.
constexpr int kLeastPages = 2;

bool is_absorbed(const KvLayout& layout) {
  return layout.kv_heads == 1 && layout.nope == Kernel::kLatent && layout.nope_offset == 0 && layout.rope == Kernel::kRope &&
         layout.rope_offset == Kernel::kLatent && layout.value == Kernel::kLatent && layout.value_offset == 0;
}

}  // namespace

bool hopper_decode_takes(const DeviceFacts& device, const RowLayout& row, const KvLayout& layout) {
  return device.capability() == 90 && device.shared_bytes >= int(Kernel::kShared) && row.dtype == CacheDtype::bf16 &&
         row.values == Kernel::kLatent + Kernel::kRope && is_absorbed(layout);
}

bool hopper_decode_handles(const DeviceFacts& device, const DeviceAttention& problem) {
  const CacheView& cache = problem.cache;  // bulk copies go by 16 bytes
  return hopper_decode_takes(device, cache.row, problem.layout) && cache.row.page == PageLayout::tiles &&
         cache.offset % 16 == 0 && cache.sequence_bytes % 16 == 0;
}

AttentionPlan plan_hopper_decode(const DeviceFacts& device, const DeviceAttention& problem) {
  AttentionPlan plan;
  plan.kind = AttentionKind::warpgroups;
  plan.tile_heads = Kernel::kHeads;
  plan.tiles = (problem.heads + Kernel::kHeads - 1) / Kernel::kHeads;
  const std::int64_t room = device.multiprocessors / plan.blocks(problem);  // a block fills a multiprocessor
  plan.splits = int(std::clamp<std::int64_t>(room, 1, std::max(1, pages_for(problem.most_keys) / kLeastPages)));
  return plan;
}

void hopper_decode(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  const RowTrace& trace = split.problem.trace;
  const Grid grid{int(plan.blocks(split.problem))};
  if (trace.weights || trace.nope || trace.rope) {
    launch<TracedKernel>(stream, grid, {split}, TracedKernel::kShared);
  } else {
    launch<Kernel>(stream, grid, {split}, Kernel::kShared);
  }
}

const char* hopper_decode_name() { return kLatentDecodeWgmma; }

}  // namespace mla::gpu
