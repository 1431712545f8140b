#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "tests/gpu/shim/hopper_state.h"

namespace mla::gpu::shim {

/// An index in a grid or a block.
struct Index {
  unsigned x = 0, y = 0, z = 0;
};

inline constexpr int kWarp = 32;
inline constexpr int kSlotBytes = 64;

/// What the 32 threads of a warp share while they exchange values. Two sets of slots in turn: nobody can be two exchanges
/// ahead of the slowest.
struct Warp {
  Barrier barrier;
  alignas(16) unsigned char slots[2][kWarp][kSlotBytes];
};

struct Block;

/// One thread of a block.
struct Lane {
  Block* block = nullptr;
  Index thread;
  int number = 0;                                ///< in its block
  int turn = 0;                                  ///< which set of slots is next
  std::vector<std::vector<PendingCopy>> groups;  ///< committed, oldest first
  std::vector<PendingCopy> copies;               ///< not yet committed
  const float* accumulators = nullptr;           ///< of the products that it has begun
  bool published = false;                        ///< what it wrote since the last barrier
  Warp& warp() const;
  int lane() const { return number % kWarp; }
};

/// A block that runs.
struct Block {
  Index index;
  Index grid;
  int threads = 0;
  unsigned char* shared = nullptr;
  std::size_t shared_bytes = 0;
  std::vector<unsigned char> seen;  ///< shared memory as products see it; empty before anything is published
  std::vector<Warp> warps;
  Barrier barriers[16];
  std::map<const void*, MemoryBarrier> memory_barriers;  ///< by their address
  std::vector<Warpgroup> warpgroups;
};

inline Warp& Lane::warp() const { return block->warps[std::size_t(number / kWarp)]; }

/// The thread that is running.
Lane& current();

/// Waits until barrier.expected threads have come; the last of them does `together` before anybody goes on. Ends the launch
/// with an error where they never will.
void wait_at(Barrier& barrier, const std::function<void()>& together = {});

/// The same of a block's barrier: once all have come who had published what they wrote, products see it.
void wait_at_block_barrier(Barrier& barrier);

/// Waits until `come` is true, which others make so. Asked by whoever looks for the next to run, as the shim's own (Unseen).
/// Ends the launch with an error where it never will be.
void wait_until(const std::function<bool()>& come);

/// Runs `body` for every thread of every block, block after block; shared memory is poisoned before each. Threads are
/// fibers, which take turns at barriers; the thread sanitizer is told of them and of nothing but what barriers order, so it
/// sees what a missing one does. Throws std::logic_error where threads wait for ever.
void run_grid(Index grid, int threads, std::size_t shared_bytes, const std::function<void()>& body);

/// Deposits `bytes` of this thread for its warp, waits for the others, and gives what lane 0 deposited; the other lanes'
/// follow kSlotBytes apart.
const unsigned char* exchange(const void* value, std::size_t bytes);

}  // namespace mla::gpu::shim
