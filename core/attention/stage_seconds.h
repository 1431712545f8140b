#pragma once

#include <chrono>
#include <vector>

namespace mla {

/// Seconds of all threads, by stage; they overlap, so only their proportion means something to a clock on the wall.
struct StageSeconds {
  double scores = 0, softmax = 0, values = 0;
  StageSeconds& operator+=(const StageSeconds& other) {
    scores += other.scores;
    softmax += other.softmax;
    values += other.values;
    return *this;
  }
};

/// Books the seconds since the last call.
class Lap {
 public:
  void operator()(double& where) {
    const Clock::time_point now = Clock::now();
    where += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace mla
