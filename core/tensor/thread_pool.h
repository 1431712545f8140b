#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace mla {

/// A fork-join pool. The caller is one of the threads; the others sleep when there is nothing to do. A round ends when its
/// items are done: a thread that the system does not let run delays nobody.
class ThreadPool {
 public:
  /// `threads` in all, the caller included; at least 1.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return int(workers_.size()) + 1; }

  /// Calls work(item, thread) for every item in [0, items), each once, and returns when all are done. Which thread takes
  /// which item is open: results must not depend on it. Not to be called from two threads at once, nor from within.
  void run(int items, const std::function<void(int item, int thread)>& work);

 private:
  void loop(int thread);
  void take_items(int thread);

  std::vector<std::thread> workers_;
  // The round in the high half, the items of it that nobody has taken in the low half: one word, so that a thread that wakes
  // late can't take an item of a round that is over.
  std::atomic<std::uint64_t> ticket_{0};
  std::atomic<int> done_{0};  // items of this round that are finished
  std::atomic<bool> stopping_{false};
  int items_ = 0;
  const std::function<void(int, int)>* work_ = nullptr;
};

/// Threads to use where an experiment says 0: one per core this process may run on.
int default_threads();

}  // namespace mla
