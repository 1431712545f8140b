#include "gpu/ops/prefill.h"

#include "gpu/kernels/prefill_tiled.cuh"
#include "gpu/ops/prefill_matrix.h"

namespace mla::gpu {
namespace {

template <int kChunks>
void launch_tiled(Stream& stream, const Prefill& p) {
  using Kernel = PrefillTiled<kChunks>;
  const DeviceAttention& a = p.problem;
  const int blocks = (a.layout.value + 64 * kChunks - 1) / (64 * kChunks);
  launch<Kernel>(stream, {p.tiles(Kernel::kRows), a.layout.kv_heads * blocks, a.batch}, p, Kernel::kShared);
}

}  // namespace

void prefill(Stream& stream, const PrefillPlan& plan, const DeviceAttention& problem) {
  const Prefill p = prefill_of(problem);
  if (plan.tile >= 0) return prefill_matrix(stream, plan, p);
  if (problem.layout.value <= 128) return launch_tiled<2>(stream, p);
  launch_tiled<8>(stream, p);
}

}  // namespace mla::gpu
