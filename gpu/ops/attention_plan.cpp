#include "gpu/ops/attention_plan.h"

#include <algorithm>

#include "gpu/ops/decode_hopper.h"
#include "gpu/ops/grouped.h"
#include "gpu/ops/plain_attention.h"
#include "gpu/ops/prefill.h"

namespace mla::gpu {
namespace {

constexpr int kPlainResident = 2;    // blocks on a multiprocessor
constexpr int kGroupedResident = 8;  // as many threads as fit, which wait for memory, and as many again
/// Heads that share a key-value head and a block of the plain kernel, where there are so many and their sums find room.
constexpr int kPlainHeads = 8, kPlainValues = 1024;

/// Runs of tokens so that the device is full with few blocks to spare, each of a page at least.
int splits_for(const DeviceFacts& device, const DeviceAttention& problem, int tiles, int resident) {
  const std::int64_t blocks = std::int64_t(problem.positions) * problem.batch * tiles;
  const std::int64_t room = std::int64_t(resident) * device.multiprocessors / blocks;
  return int(std::clamp<std::int64_t>(room, 1, std::max(1, pages_for(problem.most_keys))));
}

AttentionPlan plan_plain(const DeviceAttention& problem) {
  AttentionPlan plan;
  const int shared = problem.heads / problem.layout.kv_heads;
  plan.tile_heads = shared > 1 && problem.layout.value <= kPlainValues ? kPlainHeads : 1;
  plan.tiles = (shared + plan.tile_heads - 1) / plan.tile_heads * problem.layout.kv_heads;
  return plan;
}

AttentionPlan plan_latent(const DeviceFacts& device, const DeviceAttention& problem) {
  AttentionPlan plan;
  plan.kind = AttentionKind::latent;
  plan.latent = plan_latent_decode(device, problem);
  plan.tile_heads = plan.latent.tile.rows;
  plan.tiles = (problem.heads + plan.tile_heads - 1) / plan.tile_heads;
  return plan;
}

/// The plan for when somebody looks; without, it needs no more room.
AttentionPlan plan_split(const DeviceFacts& device, const DeviceAttention& problem) {
  if (hopper_decode_handles(device, problem)) return plan_hopper_decode(device, problem);
  const bool latent = latent_decode_fits(device, problem), grouped = !latent && grouped_decode_handles(device, problem);
  AttentionPlan plan = latent ? plan_latent(device, problem) : grouped ? plan_grouped_decode(problem) : plan_plain(problem);
  const int resident = latent ? plan.latent.resident : grouped ? kGroupedResident : kPlainResident;
  plan.splits = splits_for(device, problem, plan.tiles, resident);
  return plan;
}

std::size_t aligned(std::size_t bytes) { return (bytes + 255) / 256 * 256; }

std::size_t sums_bytes(const DeviceAttention& problem, const AttentionPlan& plan, std::int64_t rows) {
  return plan.splits == 1 ? 0 : aligned(std::size_t(plan.splits * rows) * problem.layout.value * sizeof(float));
}

std::int64_t rows_of(const DeviceAttention& problem) {
  return std::int64_t(problem.positions) * problem.batch * problem.heads;
}

}  // namespace

AttentionPlan plan_attention(const DeviceFacts& device, const DeviceAttention& problem) {
  if (!prefill_handles(problem)) return plan_split(device, problem);
  AttentionPlan plan;
  plan.kind = AttentionKind::prefill;
  plan.prefill = plan_prefill(device, problem);
  return plan;
}

const char* name_of(const AttentionPlan& plan) {
  switch (plan.kind) {
    case AttentionKind::plain:
      return kPlainAttention;
    case AttentionKind::latent:
      return latent_decode_name(plan.latent.products, plan.latent.tile.rows);
    case AttentionKind::warpgroups:
      return hopper_decode_name();
    case AttentionKind::grouped:
      return plan.grouped_name;
    case AttentionKind::prefill:
      return plan.prefill.name;
  }
  return nullptr;
}

const char* attention_kernel_of(const DeviceFacts& device, const DeviceAttention& problem) {
  return name_of(plan_attention(device, problem));
}

SplitAttention split_attention(const DeviceAttention& problem, const AttentionPlan& plan, std::byte* workspace) {
  SplitAttention split{problem, plan.splits, problem.out, nullptr, rows_of(problem)};
  if (plan.splits > 1) split.sums = reinterpret_cast<float*>(workspace);
  split.totals = reinterpret_cast<SplitTotal*>(workspace + sums_bytes(problem, plan, split.rows));
  return split;
}

std::int64_t attention_workspace(const DeviceFacts& device, const DeviceAttention& problem) {
  const AttentionPlan plan = plan_split(device, problem);
  const std::int64_t rows = rows_of(problem);
  return std::int64_t(sums_bytes(problem, plan, rows) + std::size_t(plan.splits * rows) * sizeof(SplitTotal));
}

PageLayout page_layout_for(const DeviceFacts& device, const std::vector<RowSegment>& row, CacheDtype dtype,
                           const KvLayout& layout) {
  const bool tiles = hopper_decode_takes(device, row_layout(row, dtype), layout);
  return tiles ? PageLayout::tiles : PageLayout::rows;
}

}  // namespace mla::gpu
