// A block's threads as fibers of one thread, which take turns at barriers: quick, and always in the same order.
#include "tests/gpu/shim/lanes.h"

#include <exception>
#include <memory>
#include <stdexcept>

#include "tests/gpu/shim/fiber.h"

namespace mla::gpu::shim {
namespace {

enum class State { idle, ready, waiting };

struct FiberLane {
  explicit FiberLane(void (*entry)()) : fiber(entry) {}

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

/// The one that runs on this thread.
thread_local FiberLane* running = nullptr;

/// The fibers of a block's threads; kept from block to block.
class Pool {
 public:
  void run(Block& block, const std::function<void()>& body) {
    begin(block, body);
    start_.publish(0);
    {
      const Unseen unseen;
      running = lanes_[0].get();
    }
    main_.switch_to(lanes_[0]->fiber);
    end_.observe(0);
    if (!error_ && unfinished_ == 0) return;
    // What waits for ever lies on stacks that are not needed again.
    lanes_.clear();
    if (error_) std::rethrow_exception(error_);
    throw std::logic_error("threads of a block wait for others that never come");
  }

  void wait(Barrier& barrier, const std::function<void()>& together) {
    FiberLane* me;
    std::uint64_t generation;
    bool last;
    {
      const Unseen unseen;
      me = running;
      generation = barrier.generation;
      last = ++barrier.arrived == barrier.expected;
    }
    barrier.order.publish(generation);
    if (last) return release(barrier, generation, together);
    {
      const Unseen unseen;
      me->barrier = &barrier;
      me->generation = generation;
    }
    wait(*me);
    barrier.order.observe(generation);
  }

  void wait_until(const std::function<bool()>& come) {
    FiberLane* me;
    {
      const Unseen unseen;
      if (come()) return;
      me = running;
      me->come = &come;
    }
    wait(*me);
    const Unseen unseen;
    me->come = nullptr;
  }

 private:
  void begin(Block& block, const std::function<void()>& body) {
    count_ = std::size_t(block.threads);
    while (lanes_.size() < count_) lanes_.push_back(std::make_unique<FiberLane>(&Pool::enter));
    body_ = &body;
    error_ = nullptr;
    unfinished_ = count_;
    for (std::size_t i = 0; i < count_; ++i) {
      FiberLane& next = *lanes_[i];
      next.lane.block = &block;
      next.lane.thread = {unsigned(i), 0, 0};
      next.lane.number = int(i);
      next.lane.turn = 0;
      next.lane.copies.clear();
      next.lane.groups.clear();
      next.lane.accumulators = nullptr;
      next.lane.published = false;
      next.state = State::ready;
      next.come = nullptr;
    }
  }

  /// By the last who came to the barrier.
  static void release(Barrier& barrier, std::uint64_t generation, const std::function<void()>& together) {
    barrier.order.observe(generation);
    if (together) {
      together();
      barrier.order.publish(generation);
    }
    const Unseen unseen;
    barrier.arrived = 0;
    ++barrier.generation;
  }

  void wait(FiberLane& me) {
    set(me, State::waiting);
    switch_to_next(me);
    set(me, State::ready);
  }

  static void set(FiberLane& lane, State state) {
    const Unseen unseen;
    lane.state = state;
  }

  static void enter();

  void live() {
    Fiber::begun_from(main_);
    for (;;) {
      start_.observe(0);
      std::exception_ptr error;
      try {
        (*body_)();
      } catch (...) {
        error = std::current_exception();
      }
      end_.publish(0);
      switch_to_next(ended(error));
    }
  }

  FiberLane& ended(std::exception_ptr& error) {
    const Unseen unseen;
    if (error && !error_) error_ = std::move(error);
    error = nullptr;
    running->state = State::idle;
    --unfinished_;
    return *running;
  }

  void switch_to_next(FiberLane& from) {
    Fiber* to;
    {
      const Unseen unseen;
      to = next(from);
    }
    if (to != &from.fiber) from.fiber.switch_to(*to);
  }

  /// Whoever can go on; the launch where nobody can, or one has failed.
  Fiber* next(FiberLane& from) {
    if (!error_)
      for (std::size_t step = 1; step <= count_; ++step) {
        FiberLane& lane = *lanes_[(std::size_t(from.lane.number) + step) % count_];
        if (!lane.runnable()) continue;
        running = &lane;
        return &lane.fiber;
      }
    return &main_;
  }

  std::vector<std::unique_ptr<FiberLane>> lanes_;
  Fiber main_;
  Order start_, end_;
  std::size_t count_ = 0, unfinished_ = 0;
  const std::function<void()>* body_ = nullptr;
  std::exception_ptr error_;
};

Pool& pool() {
  thread_local Pool pool;
  return pool;
}

void Pool::enter() { pool().live(); }

}  // namespace

#if defined(__SANITIZE_THREAD__)
[[gnu::no_sanitize_thread]]
#endif
Lane& current() {
  return running->lane;
}
void wait_at(Barrier& barrier, const std::function<void()>& together) { pool().wait(barrier, together); }
void wait_until(const std::function<bool()>& come) { pool().wait_until(come); }
void run_block(Block& block, const std::function<void()>& body) { pool().run(block, body); }

}  // namespace mla::gpu::shim
