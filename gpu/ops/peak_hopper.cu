#include "gpu/kernels/peak_wgmma.cuh"
#include "gpu/ops/peak_launch.cuh"

namespace mla::gpu {

PeakLoop warpgroup_peak() { return matrix_loop<WarpgroupLoop>(WarpgroupLoop::kSums); }

}  // namespace mla::gpu
