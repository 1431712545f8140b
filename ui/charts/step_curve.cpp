#include "ui/charts/step_curve.h"

#include <array>

namespace mla::ui {

void StepCurve::follow(quint64 run, const std::vector<Step>& steps) {
  const auto known = std::size_t(raw_.size());
  const bool grown = run == run_ && known <= steps.size() &&
                     (known == 0 || QPointF(steps[known - 1].tokens, value_(steps[known - 1])) == raw_.back());
  if (!grown) {
    raw_.clear();
    median_.clear();
    window_ = RunningMedian(kMedianWindow);
  }
  run_ = run;
  for (auto i = std::size_t(raw_.size()); i < steps.size(); ++i) {
    const double value = value_(steps[i]);
    raw_.append({double(steps[i].tokens), value});
    median_.append({double(steps[i].tokens), window_.add(value)});
  }
}

int pinnedColor(std::size_t index) {
  constexpr std::array colors{6, 8, 2, 3, 1, 5};
  return colors[index % colors.size()];
}

std::vector<const StepCurve*> PinnedCurves::of(const std::vector<PinnedRun>& pinned) {
  std::map<std::shared_ptr<const std::vector<Step>>, StepCurve> kept;
  std::vector<const StepCurve*> out;
  for (const PinnedRun& run : pinned) {
    if (auto node = curves_.extract(run.steps)) kept.insert(std::move(node));
    StepCurve& curve = kept.try_emplace(run.steps, value_).first->second;
    if (run.steps && curve.raw().isEmpty()) curve.follow(0, *run.steps);
    out.push_back(&curve);
  }
  curves_ = std::move(kept);
  return out;
}

}  // namespace mla::ui
