#include "ui/views/stages_view.h"

#include <algorithm>
#include <cmath>

#include "core/spec/format.h"
#include "ui/views/latency_view.h"

namespace mla::ui {
namespace {

// Neighbours in the stack are far apart in hue and lightness; the last, "other", is grey.
constexpr std::array<int, kStages> kColors{0, 6, 1, 5, 2, 3, 4, 7};

QString nameOf(Stage stage) { return QString::fromUtf8(name_of(stage)); }

bool isSplit(Stage stage) { return stage == Stage::scores || stage == Stage::softmax || stage == Stage::values; }

/// "feed_forward_median_ms", "scores_by_operations_median_ms".
std::string columnOf(Stage stage, StageSplit split) {
  std::string name(name_of(stage));
  if (split != StageSplit::measured && isSplit(stage)) name += " by " + std::string(name_of(split));
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == ' ' || c == '-'; }, '_');
  return name + "_median_ms";
}

/// The least exact of all steps.
StageSplit splitOf(const std::vector<Step>& steps) {
  StageSplit split = StageSplit::measured;
  for (const Step& step : steps) split = std::max(split, step.split);
  return split;
}

QString noteOf(StageSplit split) {
  switch (split) {
    case StageSplit::measured:
      break;
    case StageSplit::thread_times:
      return StagesView::tr("scores, softmax and values: one pass, split by its threads' times");
    case StageSplit::operations:
      return StagesView::tr("scores, softmax and values: one kernel, split by operations");
  }
  return {};
}

QString headlineOf(const std::vector<StepCurve>& stages, const StepCurve& total) {
  if (total.median().isEmpty()) return {};
  const auto last = [](const StepCurve& curve) { return curve.median().back().y(); };
  const auto longest = std::max_element(stages.begin(), stages.end(),
                                        [&](const StepCurve& a, const StepCurve& b) { return last(a) < last(b); });
  double sum = 0;
  for (const StepCurve& stage : stages) sum += last(stage);
  if (!(sum > 0)) return {};
  return StagesView::tr("%1: %2 % of %3/token")
      .arg(nameOf(Stage(longest - stages.begin())))
      .arg(std::lround(100 * last(*longest) / sum))
      .arg(QString::fromStdString(format_ms(last(total))));
}

bool takesTime(const StepCurve& stage) {
  return std::any_of(stage.raw().begin(), stage.raw().end(), [](const QPointF& p) { return p.y() > 0; });
}

}  // namespace

StagesView::StagesView(QWidget* parent)
    : ChartView(new StackedAreaChart, parent), total_([](const Step& step) { return step.ms; }) {
  for (std::size_t i = 0; i < kStages; ++i) stages_.emplace_back([i](const Step& step) { return step.stages[i]; });
  chart().setAccessibleName(tr("Chart of the time that each stage of a token takes"));
}

ChartData StagesView::build(const Snapshot& snapshot) const {
  static const std::vector<Step> none;
  const std::vector<Step>& steps = snapshot.steps ? *snapshot.steps : none;
  for (StepCurve& stage : stages_) stage.follow(snapshot.run, steps);
  total_.follow(snapshot.run, steps);
  ChartData shown;
  shown.headline = headlineOf(stages_, total_);
  const StageSplit split = splitOf(steps);
  shown.legend_note = noteOf(split);
  shown.caption = tr("running medians of %1 tokens, part by part").arg(kMedianWindow);
  shown.x = {tr("tokens"), "tokens", Unit::count, Scale::linear, {}, {}};
  shown.y = {tr("time per token"), "", Unit::ms, Scale::linear, 0.0, {}};
  if (steps.empty()) shown.empty = emptyText(snapshot);
  for (std::size_t i = 0; i < kStages; ++i)
    if (takesTime(stages_[i]))
      shown.series.push_back(
          {nameOf(Stage(i)), columnOf(Stage(i), split), Role::measured, Stroke::normal, kColors[i], stages_[i].median()});
  shown.series.push_back({tr("total"), "total_median_ms", Role::measured, Stroke::normal, -1, total_.median(), false});
  if (!steps.empty()) shown.y.max = medianTop(total_);
  return shown;
}

}  // namespace mla::ui
