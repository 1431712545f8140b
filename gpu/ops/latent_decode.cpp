#include "gpu/ops/latent_decode.h"

#include <algorithm>

namespace mla::gpu {
namespace {

constexpr int kMostStages = 4;
constexpr int kReserved = 1024;  // bytes of shared memory that a block costs beside its own

bool absorbed(const KvLayout& layout) {
  return layout.kv_heads == 1 && layout.nope == layout.value && layout.nope_offset == 0 && layout.value_offset == 0 &&
         (layout.rope == 0 || layout.rope_offset == layout.nope);
}

LatentProducts products_of(const DeviceFacts& device, CacheDtype dtype) {
  if (dtype == CacheDtype::fp16) return device.capability() < 80 ? LatentProducts::fp16_half_steps : LatentProducts::fp16;
  return dtype == CacheDtype::bf16 ? LatentProducts::bf16 : LatentProducts::scaled;
}

/// Tiles that were compiled for these products.
bool exists(LatentProducts products, const LatentTile& tile) {
  if (products == LatentProducts::fp16_half_steps) return tile.warps == 4;
  return products != LatentProducts::scaled || tile.tokens < 64;
}

int bytes_of(const LatentTile& tile, const DeviceAttention& problem, LatentProducts products, int stages) {
  const RowLayout& row = problem.cache.row;
  return LatentShared(tile, row.values, row.bytes, products == LatentProducts::scaled, stages).bytes;
}

/// Blocks of tokens for which there is room, up to kMostStages; 0 where not even one fits.
int stages_in(int bytes, const LatentTile& tile, const DeviceAttention& problem, LatentProducts products) {
  int stages = 0;
  while (stages < kMostStages && bytes_of(tile, problem, products, stages + 1) <= bytes) ++stages;
  return stages;
}

/// Plans a tile; stages 0 where it does not fit.
LatentDecodePlan plan_tile(const DeviceFacts& device, const DeviceAttention& problem, LatentProducts products,
                           const LatentTile& tile) {
  LatentDecodePlan plan{products, tile, 0, 1};
  const int least = device.capability() < 80 ? 1 : 2;  // without asynchronous copies a second block would wait for nothing
  const int half = (device.shared_bytes + kReserved) / 2 - kReserved;
  if (tile.rows < 64) plan.stages = std::min(stages_in(half, tile, problem, products), least == 1 ? 1 : kMostStages);
  if (plan.stages >= least) {
    plan.resident = 2;
  } else {
    plan.stages = std::min(stages_in(device.shared_bytes, tile, problem, products), least == 1 ? 1 : kMostStages);
  }
  if (plan.stages < least) plan.stages = 0;
  return plan;
}

/// The largest tile that the heads fill by more than half and that fits; few heads would pay for padding.
LatentDecodePlan best_plan(const DeviceFacts& device, const DeviceAttention& problem) {
  const LatentProducts products = products_of(device, problem.cache.row.dtype);
  for (const LatentTile& tile : kLatentTiles) {
    if (!exists(products, tile) || (tile.rows > 16 && problem.heads <= tile.rows / 2)) continue;
    const LatentDecodePlan plan = plan_tile(device, problem, products, tile);
    if (plan.stages > 0) return plan;
  }
  return {products, {}, 0, 1};
}

}  // namespace

bool latent_decode_fits(const DeviceFacts& device, const DeviceAttention& problem) {
  const RowLayout& row = problem.cache.row;
  const KvLayout& layout = problem.layout;
  if (!absorbed(layout) || layout.nope % 16 != 0 || layout.rope % 16 != 0 || layout.nope > kMostLatentColumns) return false;
  if (row.values != layout.nope + layout.rope || problem.cache.offset % 16 != 0) return false;
  if (row.dtype == CacheDtype::fp32 || (device.capability() < 80 && row.dtype != CacheDtype::fp16)) return false;
  return best_plan(device, problem).stages > 0;
}

LatentDecodePlan plan_latent_decode(const DeviceFacts& device, const DeviceAttention& problem) {
  return best_plan(device, problem);
}

void latent_decode(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split) {
  switch (plan.products) {
    case LatentProducts::bf16:
      return latent_decode_bf16(stream, plan, tiles, split);
    case LatentProducts::fp16:
      return latent_decode_fp16(stream, plan, tiles, split);
    case LatentProducts::fp16_half_steps:
      return latent_decode_fp16_k8(stream, plan, tiles, split);
    case LatentProducts::scaled:
      return latent_decode_scaled(stream, plan, tiles, split);
  }
}

}  // namespace mla::gpu
