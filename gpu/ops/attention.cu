#include "gpu/ops/attention.h"

#include "gpu/kernels/combine_splits.cuh"
#include "gpu/ops/decode_hopper.h"
#include "gpu/ops/grouped.h"
#include "gpu/ops/plain_attention.h"

namespace mla::gpu {
namespace {

void products(Stream& stream, const AttentionPlan& plan, const SplitAttention& split) {
  switch (plan.kind) {
    case AttentionKind::plain:
      return plain_attention(stream, plan, split);
    case AttentionKind::latent:
      return latent_decode(stream, plan.latent, plan.tiles, split);
    case AttentionKind::warpgroups:
      return hopper_decode(stream, plan, split);
    case AttentionKind::grouped:
      return grouped_decode(stream, plan, split);
    case AttentionKind::prefill:
      return prefill(stream, plan.prefill, split.problem);
  }
}

}  // namespace

void attend(Stream& stream, const DeviceFacts& device, const DeviceAttention& problem, std::byte* workspace) {
  const AttentionPlan plan = plan_attention(device, problem);
  const SplitAttention split = split_attention(problem, plan, workspace);
  products(stream, plan, split);
  if (plan.splits > 1)
    launch<CombineSplits>(stream, {int(split.rows), blocks_for(problem.layout.value, CombineSplits::kThreads)}, {split},
                          CombineSplits::shared_bytes(plan.splits));
  if (problem.trace.weights)
    launch<TraceWeights>(stream, {problem.positions * problem.heads, blocks_for(problem.most_keys, TraceWeights::kThreads)},
                         {split}, TraceWeights::kShared);
}

}  // namespace mla::gpu
