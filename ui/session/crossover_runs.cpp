#include "ui/session/crossover_runs.h"

#include <utility>

namespace mla::ui {
namespace {

constexpr std::size_t kMostKept = 32;

}  // namespace

std::shared_ptr<const Crossover> CrossoverRuns::measure(const Experiment& experiment, const Known& known,
                                                        const std::function<void(double)>& shown,
                                                        const std::stop_token& stop) {
  running_ = crossover_key(experiment);
  so_far_ = {nullptr, 0, {}};
  shown(0);
  const auto progress = [&](const Crossover& so_far, double fraction) {
    so_far_ = {std::make_shared<const Crossover>(so_far), fraction, {}};
    shown(fraction);
  };
  Result<Crossover> measured =
      measure_crossover(experiment, known.weights, *known.backend, {}, known.ceilings, progress, stop);
  const std::string key = std::exchange(running_, {});
  so_far_ = {};
  if (stop.stop_requested()) return nullptr;
  wanted_ = false;
  if (known_.size() >= kMostKept) known_.erase(known_.begin());
  CrossoverReport& report = known_[key] = {};
  if (measured)
    report.crossover = std::make_shared<const Crossover>(std::move(*measured));
  else
    report.error = QString::fromStdString(measured.error().message);
  return report.crossover;
}

CrossoverReport CrossoverRuns::report(const Experiment& experiment) const {
  if (const Status good = check_crossover(experiment); !good)
    return {nullptr, -1, QString::fromStdString(good.error().message)};
  if (running_.empty() && known_.empty()) return {};
  const std::string key = crossover_key(experiment);
  if (key == running_) return so_far_;
  const auto found = known_.find(key);
  return found == known_.end() ? CrossoverReport() : found->second;
}

}  // namespace mla::ui
