// A block's threads as threads of the processor, so that the thread sanitizer sees what they do to each other.
#if defined(__SANITIZE_THREAD__)

#include <array>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/gpu/shim/lanes.h"

namespace mla::gpu::shim {
namespace {

thread_local Lane* running = nullptr;

/// One mutex for all that threads share beside the block's memory: they hold it for short, and whoever waits sleeps.
std::mutex mutex;
std::condition_variable changed;

/// Tells who waits at a barrier. Some barriers share one by chance, which only wakes threads in vain.
std::condition_variable& came_to(const Barrier& barrier) {
  static std::array<std::condition_variable, 61> all;
  return all[reinterpret_cast<std::uintptr_t>(&barrier) / alignof(Barrier) % all.size()];
}

constexpr std::chrono::seconds kForEver{60};

}  // namespace

Lane& current() { return *running; }

void wait_at(Barrier& barrier) {
  std::condition_variable& came = came_to(barrier);
  std::unique_lock lock(mutex);
  const std::uint64_t generation = barrier.generation;
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    ++barrier.generation;
    came.notify_all();
    return;
  }
  if (!came.wait_for(lock, kForEver, [&] { return barrier.generation != generation; }))
    throw std::logic_error("threads of a block wait for others that never come");
}

void wait_until(const std::function<bool()>& come) {
  std::unique_lock lock(mutex);
  if (!changed.wait_for(lock, kForEver, come)) throw std::logic_error("threads of a block wait for others that never come");
}

void change(const std::function<bool()>& what) {
  const std::lock_guard lock(mutex);
  if (what()) changed.notify_all();
}

void run_block(Block& block, const std::function<void()>& body) {
  std::vector<Lane> lanes(std::size_t(block.threads));
  std::exception_ptr error;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < block.threads; ++i)
      threads.emplace_back([&, i] {
        Lane& lane = lanes[std::size_t(i)];
        lane.block = &block;
        lane.thread = {unsigned(i), 0, 0};
        lane.number = i;
        running = &lane;
        try {
          body();
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!error) error = std::current_exception();
        }
      });
  }
  if (error) std::rethrow_exception(error);
}

}  // namespace mla::gpu::shim

#endif
