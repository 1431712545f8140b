#pragma once

// Sums and maxima over a warp and over a block, always in the same order.

#include "gpu/kernels/platform.cuh"

namespace mla::gpu {

/// Of kLanes neighbouring lanes, for all of them; a power of two.
template <int kLanes = 32, class T>
MLA_DEVICE T warp_sum(T x) {
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) x += shuffle_xor(x, mask);
  return x;
}

template <int kLanes = 32, class T>
MLA_DEVICE T warp_max(T x) {
#pragma unroll
  for (int mask = kLanes / 2; mask > 0; mask /= 2) {
    const T other = shuffle_xor(x, mask);
    x = x > other ? x : other;
  }
  return x;
}

/// The sum over a block of kThreads threads, for all of them. `scratch` [kThreads / 32] in shared memory.
template <int kThreads>
MLA_DEVICE float block_sum(float x, float* scratch) {
  const int warp = int(threadIdx.x) / 32;
  x = warp_sum(x);
  if (threadIdx.x % 32 == 0) scratch[warp] = x;
  sync_block();
  float total = 0;
  for (int i = 0; i < kThreads / 32; ++i) total += scratch[i];
  sync_block();
  return total;
}

}  // namespace mla::gpu
