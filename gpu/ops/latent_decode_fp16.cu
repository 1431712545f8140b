#include "gpu/ops/latent_launch.cuh"

namespace mla::gpu {

void latent_decode_fp16(Stream& stream, const LatentDecodePlan& plan, int tiles, const SplitAttention& split) {
  launch_latent<Fp16Products, 0>(stream, plan, tiles, split);
}

}  // namespace mla::gpu
