#pragma once

// platform.cuh on a GPU.

#include <cuda_runtime.h>

#define MLA_DEVICE __device__ __forceinline__
/// Of functions that the host calls as well, for its tables and tests.
#define MLA_BOTH __host__ __device__ __forceinline__

namespace mla::gpu {

/// Compute capability that this code is compiled for, times 10: 75, 80, 90, …; 0 in host code.
#ifdef __CUDA_ARCH__
inline constexpr int kCapability = __CUDA_ARCH__ / 10;
#else
inline constexpr int kCapability = 0;
#endif

/// The block's dynamic shared memory, aligned to 1,024 bytes.
MLA_DEVICE unsigned char* shared_memory() {
  extern __shared__ __align__(1024) unsigned char bytes[];
  return bytes;
}

MLA_DEVICE void sync_block() { __syncthreads(); }
MLA_DEVICE void sync_warp() { __syncwarp(); }
/// Waits for `threads` threads (whole warps) at barrier `id` of 1 … 15.
MLA_DEVICE void sync_named(int id, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(id), "r"(threads) : "memory"); }

template <class T>
MLA_DEVICE T shuffle_xor(T value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
template <class T>
MLA_DEVICE T shuffle(T value, int lane) {
  return __shfl_sync(0xffffffffu, value, lane);
}

/// 2^x, to about 2 units in the last place.
MLA_DEVICE float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

void check_launch(const char* kernel);
void allow_shared(const void* entry, const char* kernel, std::size_t bytes);

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads, Kernel::kBlocks)
    entry(const __grid_constant__ typename Kernel::Params p) {
  Kernel::run(p);
}

/// Throws Failure.
template <class Kernel>
void launch(Stream& stream, Grid grid, const typename Kernel::Params& params, std::size_t shared = 0) {
  if (shared > 48 * 1024) allow_shared(reinterpret_cast<const void*>(&entry<Kernel>), Kernel::kName, shared);
  LaunchLog::note(Kernel::kName);
  entry<Kernel><<<dim3(unsigned(grid.x), unsigned(grid.y), unsigned(grid.z)), Kernel::kThreads, shared,
                  static_cast<cudaStream_t>(stream.native())>>>(params);
  check_launch(Kernel::kName);
}

}  // namespace mla::gpu
