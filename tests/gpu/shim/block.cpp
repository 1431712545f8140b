#include "tests/gpu/shim/block.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

#include "tests/gpu/shim/lanes.h"

namespace mla::gpu::shim {
namespace {

constexpr std::size_t kAlignment = 1024;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

}  // namespace

void run_grid(Index grid, int threads, std::size_t shared_bytes, const std::function<void()>& body) {
  if (threads % kWarp != 0) throw std::logic_error("a block holds whole warps");
  Block block;
  block.grid = grid;
  block.threads = threads;
  block.shared_bytes = shared_bytes;
  void* memory = nullptr;  // no more than was asked for, so that the address sanitizer sees what lies beyond
  if (posix_memalign(&memory, kAlignment, shared_bytes) != 0) throw std::bad_alloc();
  const std::unique_ptr<void, Free> shared(memory);
  block.shared = static_cast<unsigned char*>(memory);
  block.warps.resize(std::size_t(threads / kWarp));
  for (Warp& warp : block.warps) warp.barrier.expected = kWarp;
  block.barriers[0].expected = threads;
  block.warpgroups.resize(std::size_t(threads / kWarpgroupLanes));
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; ++x) {
        block.index = {x, y, z};
        std::memset(block.shared, 0xff, shared_bytes);  // NaN, whatever the type
        block.memory_barriers.clear();
        block.seen.clear();
        for (Warpgroup& group : block.warpgroups) {
          group = {};
          group.barrier.expected = kWarpgroupLanes;
        }
        run_block(block, body);
      }
}

void wait_at_block_barrier(Barrier& barrier) {
  Block* block;
  {
    const Unseen unseen;
    block = current().block;
    barrier.published += std::exchange(current().published, false);
  }
  wait_at(barrier, [&barrier, block] {
    const Unseen unseen;
    if (std::exchange(barrier.published, 0) == barrier.expected)
      block->seen.assign(block->shared, block->shared + block->shared_bytes);
  });
}

const unsigned char* exchange(const void* value, std::size_t bytes) {
  if (bytes > kSlotBytes) throw std::logic_error("too much for an exchange");
  Lane& lane = current();
  Warp& warp = lane.warp();
  unsigned char(*slots)[kSlotBytes] = warp.slots[lane.turn];
  lane.turn ^= 1;
  std::memcpy(slots[lane.lane()], value, bytes);
  wait_at(warp.barrier);
  return slots[0];
}

}  // namespace mla::gpu::shim
