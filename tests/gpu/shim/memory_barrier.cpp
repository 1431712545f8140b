// Barriers in shared memory and the bulk copies that report to them.
#include <cstring>
#include <functional>
#include <stdexcept>

#include "tests/gpu/shim/hopper.h"

namespace mla::gpu::shim {
namespace {

/// Where a block's shared memory begins in the address space of the multiprocessor: what precedes is the system's.
constexpr std::uint32_t kFirstAddress = 1024;

void check(bool good, const char* what) {
  if (!good) throw std::logic_error(what);
}

bool aligned(const void* at, std::uintptr_t bytes) { return reinterpret_cast<std::uintptr_t>(at) % bytes == 0; }

MemoryBarrier& barrier_at(const std::uint64_t* at) {
  auto& barriers = current().block->memory_barriers;
  const auto found = barriers.find(at);
  check(found != barriers.end(), "a barrier in shared memory that was not initialised");
  return found->second;
}

/// What this thread did so far comes before what those do who wait for the barrier's phase.
void publish(const std::uint64_t* at) {
  MemoryBarrier* barrier;
  std::uint64_t phase;
  {
    const Unseen unseen;
    barrier = &barrier_at(at);
    phase = barrier->phase;
  }
  barrier->order.publish(phase);
}

void end_phase_if_done(MemoryBarrier& barrier) {
  if (barrier.to_come != 0 || barrier.bytes != 0) return;
  ++barrier.phase;
  barrier.to_come = barrier.expected;
}

/// Products see what lies there.
void show(const void* at, int bytes) {
  Block& block = *current().block;
  if (block.seen.empty()) block.seen.assign(block.shared_bytes, 0xff);
  std::memcpy(block.seen.data() + (static_cast<const unsigned char*>(at) - block.shared), at, std::size_t(bytes));
}

void land(MemoryBarrier& barrier) {
  for (const PendingCopy& copy : barrier.copies) {
    std::memcpy(copy.to, copy.from, std::size_t(copy.bytes));
    show(copy.to, copy.bytes);
    barrier.bytes -= copy.bytes;
  }
  barrier.copies.clear();
  end_phase_if_done(barrier);
}

}  // namespace

std::uint32_t shared_address(const void* shared) {
  return kFirstAddress + std::uint32_t(static_cast<const unsigned char*>(shared) - current().block->shared);
}

void barrier_init(std::uint64_t* at, int arrivals) {
  check(aligned(at, 8) && arrivals > 0, "a barrier in shared memory is 8 bytes, aligned, and somebody arrives at it");
  const Unseen unseen;
  current().block->memory_barriers[at] = {.expected = arrivals, .to_come = arrivals, .copies = {}};
}

void barrier_arrive(std::uint64_t* at, int bytes) {
  publish(at);
  const Unseen unseen;
  MemoryBarrier& barrier = barrier_at(at);
  check(barrier.to_come > 0, "more arrivals at a barrier than it expects in a phase");
  --barrier.to_come;
  barrier.bytes += bytes;
  end_phase_if_done(barrier);
}

void barrier_wait(std::uint64_t* at, int parity) {
  MemoryBarrier* barrier;
  {
    const Unseen unseen;
    barrier = &barrier_at(at);
  }
  const auto ended = [=] {
    if (int(barrier->phase % 2) == parity && barrier->to_come == 0) land(*barrier);
    return int(barrier->phase % 2) != parity;
  };
  wait_until(std::cref(ended));  // nothing that a thread which waits for ever would leave behind
  barrier->order.observe(std::uint64_t(parity));
}

void bulk_copy(void* shared, const void* from, int bytes, std::uint64_t* at) {
  check(aligned(shared, 16) && aligned(from, 16) && bytes % 16 == 0, "a bulk copy goes by multiples of 16 bytes");
  std::memset(shared, 0xff, std::size_t(bytes));
  publish(at);
  const Unseen unseen;
  barrier_at(at).copies.push_back({shared, from, bytes, bytes});
}

}  // namespace mla::gpu::shim
