#include "gpu/ops/latent_launch.cuh"

namespace mla::gpu {

void latent_decode_scaled(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split) {
  launch_latent<ScaledProducts, 1>(stream, plan, tiles, split);
}

}  // namespace mla::gpu
