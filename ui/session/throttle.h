#pragma once

#include <chrono>

namespace mla::ui {

using Clock = std::chrono::steady_clock;

/// One frame of the screen: snapshots need not come faster.
inline constexpr std::chrono::milliseconds kFrame{16};

/// Lets something happen once an interval, and not more often in the long run: what comes a little late does not put off
/// what follows it, or steps that do not divide the interval would cost frames. Holds no clock, so that a test can be one.
class Throttle {
 public:
  explicit Throttle(Clock::duration interval) : interval_(interval) {}
  /// Whether it may happen now.
  bool due(Clock::time_point now) const { return now >= next_; }
  /// When it may happen next.
  Clock::time_point next() const { return next_; }
  /// It happened.
  void note(Clock::time_point now) { next_ = (now - next_ < interval_ ? next_ : now) + interval_; }

 private:
  Clock::duration interval_;
  Clock::time_point next_{};
};

}  // namespace mla::ui
