#pragma once

// gpu/kernels/platform.cuh on the processor. Included from there.

#include <cmath>
#include <cstring>
#include <functional>

#include "tests/gpu/shim/block.h"
#include "tests/gpu/shim/hopper.h"
#include "tests/gpu/shim/shim.h"

#define MLA_DEVICE inline
#define MLA_BOTH inline
#define threadIdx (::mla::gpu::shim::current().thread)
#define blockIdx (::mla::gpu::shim::current().block->index)
#define gridDim (::mla::gpu::shim::current().block->grid)

namespace mla::gpu {

/// The shim has every instruction; which kernels run is decided by shim::set_capability.
inline constexpr int kCapability = 900;

inline unsigned char* shared_memory() { return shim::current().block->shared; }
inline void sync_block() { shim::wait_at_block_barrier(shim::current().block->barriers[0]); }
inline void sync_warp() { shim::wait_at(shim::current().warp().barrier); }
inline void sync_named(int id, int threads) {
  shim::Barrier& barrier = shim::current().block->barriers[id];
  {
    const shim::Unseen unseen;
    barrier.expected = threads;
  }
  shim::wait_at_block_barrier(barrier);
}

template <class T>
T shuffle(T value, int lane) {
  T taken;
  std::memcpy(&taken, shim::exchange(&value, sizeof value) + std::ptrdiff_t(lane) * shim::kSlotBytes, sizeof taken);
  return taken;
}
template <class T>
T shuffle_xor(T value, int mask) {
  return shuffle(value, shim::current().lane() ^ mask);
}

inline float exp2_fast(float x) { return std::exp2(x); }

template <class Kernel>
void launch(Stream& stream, Grid grid, const typename Kernel::Params& params, std::size_t shared = 0) {
  LaunchLog::note(Kernel::kName);
  shim::launch(stream, Kernel::kName, {unsigned(grid.x), unsigned(grid.y), unsigned(grid.z)}, Kernel::kThreads, shared,
               [params] { Kernel::run(params); });
}

}  // namespace mla::gpu
