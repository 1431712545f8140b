#pragma once

#include <QList>
#include <QPointF>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "ui/charts/running_median.h"
#include "ui/session/snapshot.h"

namespace mla::ui {

/// Tokens over which charts take their running medians.
inline constexpr int kMedianWindow = 32;

/// One quantity of a run's steps against the tokens held, as measured and as a running median. Follows a growing run: only
/// the steps that are new cost time.
class StepCurve {
 public:
  explicit StepCurve(std::function<double(const Step&)> value) : value_(std::move(value)) {}

  /// Brings the curves up to the run's steps; another run, or one whose steps are no longer the same, starts them anew.
  void follow(quint64 run, const std::vector<Step>& steps);

  const QList<QPointF>& raw() const { return raw_; }
  const QList<QPointF>& median() const { return median_; }

 private:
  std::function<double(const Step&)> value_;
  RunningMedian window_{kMedianWindow};
  quint64 run_ = 0;
  QList<QPointF> raw_, median_;
};

/// Index of the series colour of a pinned run, the same in every chart and no colour of a present run's own line.
int pinnedColor(std::size_t index);

/// The curves of pinned runs, computed once a pin: those of runs no longer pinned are let go.
class PinnedCurves {
 public:
  explicit PinnedCurves(std::function<double(const Step&)> value) : value_(std::move(value)) {}
  /// One curve a pinned run, in their order.
  std::vector<const StepCurve*> of(const std::vector<PinnedRun>& pinned);

 private:
  std::function<double(const Step&)> value_;
  std::map<std::shared_ptr<const std::vector<Step>>, StepCurve> curves_;
};

}  // namespace mla::ui
