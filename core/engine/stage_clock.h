#pragma once

#include <array>
#include <chrono>
#include <initializer_list>
#include <utility>

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
  /// Books the time since the last call to several stages that ran together, in proportion to what the threads took for
  /// each; the work goes to the first.
  void share(std::initializer_list<std::pair<Stage, double>> weights) {
    double total = 0;
    for (const auto& [stage, weight] : weights) total += weight;
    const Stage first = weights.begin()->first;
    const double before = times_[int(first)];
    end(first);
    const double all = times_[int(first)] - before;
    times_[int(first)] = before;
    for (const auto& [stage, weight] : weights) times_[int(stage)] += total > 0 ? all * weight / total : 0;
    split_ = StageSplit::thread_times;
  }
  const StageTimes& times() const { return times_; }
  StageSplit split() const { return split_; }
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
  StageSplit split_ = StageSplit::measured;
  std::array<Work, kStages> work_{};
};

}  // namespace mla
