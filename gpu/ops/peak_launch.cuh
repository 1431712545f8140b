#pragma once

#include "gpu/kernels/platform.cuh"
#include "gpu/ops/peak.h"

namespace mla::gpu {

template <class Kernel>
PeakLoop peak_loop(float per_round) {
  const auto run = [](Stream& stream, int blocks, int rounds, float x, float* sums) {
    launch<Kernel>(stream, {blocks}, {sums, rounds, x}, Kernel::kShared);
  };
  return {Kernel::kName, Kernel::kThreads, Kernel::kBlocks, Kernel::kOperations, per_round, run};
}

/// Every product adds 16 times its factors to each of a thread's sums.
template <class Kernel>
PeakLoop matrix_loop(int sums) {
  return peak_loop<Kernel>(float(16 * Kernel::kSteps * sums));
}

}  // namespace mla::gpu
