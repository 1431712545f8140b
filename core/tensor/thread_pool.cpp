#include "core/tensor/thread_pool.h"

#include <sched.h>

#include <algorithm>

namespace mla {
namespace {

// Spinning this often takes a few microseconds: longer than the gap between two products of one step, shorter than a token.
constexpr int kSpins = 2000;
constexpr std::uint64_t kRound = std::uint64_t(1) << 32;

inline void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

template <class T>
void wait_while(const std::atomic<T>& value, T old) {
  for (int i = 0; i < kSpins; ++i) {
    if (value.load(std::memory_order_acquire) != old) return;
    relax();
  }
  while (value.load(std::memory_order_acquire) == old) value.wait(old, std::memory_order_acquire);
}

}  // namespace

ThreadPool::ThreadPool(int threads) {
  for (int t = 1; t < threads; ++t) workers_.emplace_back([this, t] { loop(t); });
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  ticket_.fetch_add(kRound, std::memory_order_release);
  ticket_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int items, const std::function<void(int, int)>& work) {
  if (items <= 1 || workers_.empty()) {
    for (int i = 0; i < items; ++i) work(i, 0);
    return;
  }
  items_ = items;
  work_ = &work;
  done_.store(0, std::memory_order_relaxed);
  // Nothing is left of the last round, so the low half is zero.
  ticket_.fetch_add(kRound + std::uint64_t(items), std::memory_order_release);
  ticket_.notify_all();
  take_items(0);
  for (int done = done_.load(std::memory_order_acquire); done < items; done = done_.load(std::memory_order_acquire))
    wait_while(done_, done);
}

void ThreadPool::take_items(int thread) {
  std::uint64_t ticket = ticket_.load(std::memory_order_acquire);
  while (ticket % kRound != 0) {
    if (!ticket_.compare_exchange_weak(ticket, ticket - 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    const int items = items_;  // once the last item is done, another round may begin
    (*work_)(items - int(ticket % kRound), thread);
    if (done_.fetch_add(1, std::memory_order_acq_rel) + 1 == items) done_.notify_all();
    ticket = ticket_.load(std::memory_order_acquire);
  }
}

void ThreadPool::loop(int thread) {
  while (true) {
    take_items(thread);
    const std::uint64_t seen = ticket_.load(std::memory_order_acquire);
    if (stopping_.load()) return;
    if (seen % kRound == 0) wait_while(ticket_, seen);
  }
}

int default_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace mla
