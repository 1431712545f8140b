#pragma once

// What the thread sanitizer is told about the threads of a block, which are all fibers of one thread of the processor: which
// of them come before which, and what is the shim's own. Nothing without it.

#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
extern "C" void __tsan_ignore_thread_begin();
extern "C" void __tsan_ignore_thread_end();
#endif

namespace mla::gpu::shim {

/// A place over which fibers are ordered. Two of them in turn, so that who is late does not see what was published for the
/// next time.
class Order {
 public:
  /// What this fiber did so far comes before what those do who observe it.
  void publish(std::uint64_t turn) {
#if defined(__SANITIZE_THREAD__)
    __tsan_release(&places_[turn % 2]);
#else
    (void)turn;
#endif
  }
  void observe(std::uint64_t turn) {
#if defined(__SANITIZE_THREAD__)
    __tsan_acquire(&places_[turn % 2]);
#else
    (void)turn;
#endif
  }

 private:
#if defined(__SANITIZE_THREAD__)
  std::uint64_t places_[2] = {};
#endif
};

/// While it lives, what this fiber reads and writes is the shim's own: barriers, queues, whose turn it is. No fiber may be
/// left within.
class Unseen {
 public:
  Unseen() {
#if defined(__SANITIZE_THREAD__)
    __tsan_ignore_thread_begin();
#endif
  }
  ~Unseen() {
#if defined(__SANITIZE_THREAD__)
    __tsan_ignore_thread_end();
#endif
  }
  Unseen(const Unseen&) = delete;
  Unseen& operator=(const Unseen&) = delete;
};

}  // namespace mla::gpu::shim
