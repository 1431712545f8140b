#pragma once

#include <array>
#include <chrono>

#include "core/engine/trace.h"
#include "core/tensor/compute.h"

namespace mla {

/// Books the time and the work since the last call to a stage.
class StageClock {
 public:
  explicit StageClock(Compute& compute) : compute_(compute), last_(Clock::now()) {}

  void end(Stage stage) {
    const auto now = Clock::now();
    times_[int(stage)] += std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    work_[int(stage)] += compute_.work;
    compute_.work = {};
  }
  const StageTimes& times() const { return times_; }
  Work total_work() const {
    Work total;
    for (const Work& work : work_) total += work;
    return total;
  }
  const std::array<Work, kStages>& work() const { return work_; }

 private:
  using Clock = std::chrono::steady_clock;
  Compute& compute_;
  Clock::time_point last_;
  StageTimes times_{};
  std::array<Work, kStages> work_{};
};

}  // namespace mla
