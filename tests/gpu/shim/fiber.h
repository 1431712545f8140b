#pragma once

#include <setjmp.h>
#include <ucontext.h>

#include <memory>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#elif defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace mla::gpu::shim {

/// A context with a stack of its own. Switches by setjmp and longjmp, which make no system call; under the sanitizers, which
/// are told, by swapcontext. To the thread sanitizer a fiber is a thread, and a switch orders nothing.
class Fiber {
 public:
  /// One that runs already.
  Fiber() : started_(true) {
#if defined(__SANITIZE_THREAD__)
    seen_ = __tsan_get_current_fiber();
#endif
  }

  /// One that calls `entry`, which does not return, once it is switched to.
  explicit Fiber(void (*entry)()) : stack_(new unsigned char[kStackBytes]) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = stack_.get();
    context_.uc_stack.ss_size = kStackBytes;
    makecontext(&context_, entry, 0);
#if defined(__SANITIZE_ADDRESS__)
    bottom_ = stack_.get();
    size_ = kStackBytes;
#elif defined(__SANITIZE_THREAD__)
    seen_ = __tsan_create_fiber(0);
#endif
  }

  ~Fiber() {
#if defined(__SANITIZE_THREAD__)
    if (!stack_) return;
    void* const here = __tsan_get_current_fiber();  // what a fiber did that never ended comes before what follows
    __tsan_switch_to_fiber(seen_, 0);
    __tsan_switch_to_fiber(here, 0);
    __tsan_destroy_fiber(seen_);
#endif
  }
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /// Leaves this fiber, which is running, for another; comes back when somebody switches to this one.
  void switch_to(Fiber& other) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&fake_, other.bottom_, other.size_);
    swapcontext(&context_, &other.context_);
    __sanitizer_finish_switch_fiber(fake_, nullptr, nullptr);
#elif defined(__SANITIZE_THREAD__)
    __tsan_switch_to_fiber(other.seen_, __tsan_switch_to_fiber_no_sync);
    swapcontext(&context_, &other.context_);
#else
    if (_setjmp(saved_)) return;
    if (other.started_) _longjmp(other.saved_, 1);
    other.started_ = true;
    setcontext(&other.context_);
#endif
  }

  /// What `entry` calls first, with the fiber that it was first switched to from: the address sanitizer gives that one's
  /// stack.
  static void begun_from([[maybe_unused]] Fiber& from) {
#if defined(__SANITIZE_ADDRESS__)
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
    if (!from.bottom_) from.bottom_ = bottom, from.size_ = size;
#endif
  }

 private:
  static constexpr std::size_t kStackBytes = 128 * 1024;

  ucontext_t context_{};
  std::unique_ptr<unsigned char[]> stack_;
  bool started_ = false;
#if defined(__SANITIZE_ADDRESS__)
  const void* bottom_ = nullptr;
  std::size_t size_ = 0;
  void* fake_ = nullptr;
#elif defined(__SANITIZE_THREAD__)
  void* seen_ = nullptr;
#else
  jmp_buf saved_;
#endif
};

}  // namespace mla::gpu::shim
