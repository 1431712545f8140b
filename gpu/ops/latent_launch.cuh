#pragma once

#include <stdexcept>

#include "gpu/kernels/latent_decode.cuh"

namespace mla::gpu {

/// Launches the one of the tiles [kFirst, 5) that the plan names.
template <class Products, int kFirst>
void launch_latent(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split) {
  if constexpr (kFirst < int(std::size(kLatentTiles))) {
    using Kernel = LatentDecode<Products, kFirst>;
    if (plan.tile.rows != Kernel::kSize.rows || plan.tile.tokens != Kernel::kSize.tokens)
      return launch_latent<Products, kFirst + 1>(stream, plan, tiles, split);
    const DeviceAttention& a = split.problem;
    const LatentShared shared(plan.tile, a.cache.row.values, a.cache.row.bytes, Products::kScaled, plan.stages);
    launch<Kernel>(stream, {a.positions * a.batch * tiles * split.splits}, {split, tiles, plan.stages, shared},
                   std::size_t(shared.bytes));
  } else {
    throw std::logic_error("no such tile of the latent decode");
  }
}

}  // namespace mla::gpu
