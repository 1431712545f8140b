#include "gpu/kernels/peak.cuh"

#include "gpu/ops/peak_launch.cuh"

namespace mla::gpu {

PeakLoop fp32_peak() { return peak_loop<FmaLoop>(FmaLoop::kSteps * FmaLoop::kSums); }

std::vector<PeakLoop> matrix_peaks(const DeviceFacts& device) {
  using HalfSteps = MatrixLoop<Fp16HalfSteps>;
  using Bf16 = MatrixLoop<Bf16Products>;
  if (device.capability() < 80) return {matrix_loop<HalfSteps>(4 * HalfSteps::kSums)};
  std::vector<PeakLoop> loops{matrix_loop<Bf16>(4 * Bf16::kSums)};
  if (device.capability() == 90) loops.push_back(warpgroup_peak());
  return loops;
}

}  // namespace mla::gpu
