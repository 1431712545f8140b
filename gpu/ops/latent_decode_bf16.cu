#include "gpu/ops/latent_launch.cuh"

namespace mla::gpu {

void latent_decode_bf16(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split) {
  launch_latent<Bf16Products, 0>(stream, plan, tiles, split);
}

}  // namespace mla::gpu
