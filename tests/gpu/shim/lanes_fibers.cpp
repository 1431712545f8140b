// A block's threads as fibers of one thread, which take turns at barriers: quick, and always in the same order.
#if !defined(__SANITIZE_THREAD__)

#include <setjmp.h>
#include <ucontext.h>

#include <exception>
#include <memory>
#include <stdexcept>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#include "tests/gpu/shim/lanes.h"

namespace mla::gpu::shim {
namespace {

constexpr std::size_t kStackBytes = 128 * 1024;

/// A context with a stack of its own. Switches by setjmp and longjmp, which make no system call; under the address sanitizer
/// by swapcontext, beside which the sanitizer is told.
class Fiber {
 public:
  ucontext_t context{};
  jmp_buf saved{};
  bool started = false;
  std::unique_ptr<unsigned char[]> stack;
  const void* bottom = nullptr;
  std::size_t size = 0;
  void* fake = nullptr;

  void switch_to(Fiber& other, bool for_good = false) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(for_good ? nullptr : &fake, other.bottom, other.size);
    swapcontext(&context, &other.context);
    __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#else
    (void)for_good;
    if (_setjmp(saved)) return;
    if (other.started) _longjmp(other.saved, 1);
    other.started = true;
    setcontext(&other.context);
#endif
  }
};

enum class State { idle, ready, waiting };

struct FiberLane {
  Lane lane;
  Fiber fiber;
  State state = State::idle;
  Barrier* barrier = nullptr;
  std::uint64_t generation = 0;
  const std::function<bool()>* come = nullptr;  ///< what is waited for instead of a barrier
  bool runnable() const {
    if (state != State::waiting) return state == State::ready;
    return come ? (*come)() : barrier->generation != generation;
  }
};

/// The fibers of a block's threads; kept from block to block.
class Pool {
 public:
  void run(Block& block, const std::function<void()>& body) {
    count_ = std::size_t(block.threads);
    while (lanes_.size() < count_) add();
    body_ = &body;
    error_ = nullptr;
    unfinished_ = count_;
    for (std::size_t i = 0; i < count_; ++i) {
      lanes_[i]->lane.block = &block;
      lanes_[i]->lane.thread = {unsigned(i), 0, 0};
      lanes_[i]->lane.number = int(i);
      lanes_[i]->lane.turn = 0;
      lanes_[i]->lane.copies.clear();
      lanes_[i]->lane.groups.clear();
      lanes_[i]->state = State::ready;
      lanes_[i]->come = nullptr;
    }
    running_ = 0;
    main_.started = true;
    main_.switch_to(lanes_[0]->fiber);
    if (!error_ && unfinished_ == 0) return;
    // What waits for ever lies on stacks that are not needed again.
    lanes_.clear();
    if (error_) std::rethrow_exception(error_);
    throw std::logic_error("threads of a block wait for others that never come");
  }

  Lane& current() { return lanes_[running_]->lane; }

  void wait(Barrier& barrier) {
    FiberLane& me = *lanes_[running_];
    me.barrier = &barrier;
    me.generation = barrier.generation;
    if (++barrier.arrived == barrier.expected) {
      barrier.arrived = 0;
      ++barrier.generation;
      return;
    }
    wait(me);
  }

  void wait_until(const std::function<bool()>& come) {
    if (come()) return;
    FiberLane& me = *lanes_[running_];
    me.come = &come;
    wait(me);
    me.come = nullptr;
  }

 private:
  void wait(FiberLane& me) {
    me.state = State::waiting;
    switch_to_next(me.fiber);
    me.state = State::ready;
  }

  void add() {
    lanes_.push_back(std::make_unique<FiberLane>());
    Fiber& fiber = lanes_.back()->fiber;
    fiber.stack.reset(new unsigned char[kStackBytes]);
    fiber.bottom = fiber.stack.get();
    fiber.size = kStackBytes;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    makecontext(&fiber.context, &Pool::enter, 0);
  }

  static void enter();

  void live() {
#if defined(__SANITIZE_ADDRESS__)
    const void* bottom = nullptr;
    std::size_t size = 0;
    __sanitizer_finish_switch_fiber(nullptr, &bottom, &size);
    if (main_.bottom == nullptr) main_.bottom = bottom, main_.size = size;
#endif
    for (;;) {
      FiberLane& me = *lanes_[running_];
      try {
        (*body_)();
      } catch (...) {
        if (!error_) error_ = std::current_exception();
      }
      me.state = State::idle;
      --unfinished_;
      switch_to_next(me.fiber);
    }
  }

  /// To whoever can go on; to the launch where nobody can, or one has failed.
  void switch_to_next(Fiber& from) {
    if (!error_)
      for (std::size_t step = 1; step <= count_; ++step) {
        const std::size_t i = (running_ + step) % count_;
        if (!lanes_[i]->runnable()) continue;
        if (&lanes_[i]->fiber == &from) return;
        running_ = i;
        return from.switch_to(lanes_[i]->fiber);
      }
    from.switch_to(main_);
  }

  std::vector<std::unique_ptr<FiberLane>> lanes_;
  Fiber main_;
  std::size_t count_ = 0, running_ = 0, unfinished_ = 0;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr error_;
};

Pool& pool() {
  thread_local Pool pool;
  return pool;
}

void Pool::enter() { pool().live(); }

}  // namespace

Lane& current() { return pool().current(); }
void wait_at(Barrier& barrier) { pool().wait(barrier); }
void wait_until(const std::function<bool()>& come) { pool().wait_until(come); }
void change(const std::function<bool()>& what) { what(); }
void run_block(Block& block, const std::function<void()>& body) { pool().run(block, body); }

}  // namespace mla::gpu::shim

#endif
