#include "core/tensor/thread_pool.h"

#include <sched.h>

#include <algorithm>

namespace mla {
namespace {

// Spinning this often takes a few microseconds: longer than the gap between two products of one step, shorter than a token.
constexpr int kSpins = 2000;

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
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run(int items, const std::function<void(int, int)>& work) {
  if (items <= 1 || workers_.empty()) {
    for (int i = 0; i < items; ++i) work(i, 0);
    return;
  }
  items_ = items;
  work_ = &work;
  next_.store(0, std::memory_order_relaxed);
  pending_.store(int(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_items(0);
  for (int left = pending_.load(std::memory_order_acquire); left > 0; left = pending_.load(std::memory_order_acquire))
    wait_while(pending_, left);
}

void ThreadPool::take_items(int thread) {
  for (int i = next_.fetch_add(1, std::memory_order_relaxed); i < items_; i = next_.fetch_add(1, std::memory_order_relaxed))
    (*work_)(i, thread);
}

void ThreadPool::loop(int thread) {
  unsigned seen = 0;
  while (true) {
    wait_while(round_, seen);
    if (stopping_.load()) return;
    ++seen;
    take_items(thread);
    if (pending_.fetch_sub(1, std::memory_order_acq_rel) == 1) pending_.notify_all();
  }
}

int default_threads() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) return std::max(1, CPU_COUNT(&set));
  return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace mla
