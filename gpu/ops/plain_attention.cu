#include "gpu/ops/plain_attention.h"

#include "gpu/kernels/plain_attention.cuh"

namespace mla::gpu {
namespace {

template <int kHeads>
void launch_plain(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  using Kernel = PlainAttention<kHeads>;
  const DeviceAttention& a = split.problem;
  launch<Kernel>(stream, {int(plan.blocks(a))}, {split, plan.tiles / a.layout.kv_heads, a.heads / a.layout.kv_heads},
                 Kernel::shared_bytes(a.layout.value));
}

}  // namespace

void plain_attention(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  if (plan.tile_heads == 1) {
    launch_plain<1>(stream, plan, split);
  } else {
    launch_plain<8>(stream, plan, split);
  }
}

}  // namespace mla::gpu
