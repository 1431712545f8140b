#pragma once

#include "ui/charts/chart_view.h"
#include "ui/charts/step_curve.h"

namespace mla::ui {

/// Milliseconds per token as measured, their running median, what the roofline of this machine's measured ceilings predicts,
/// and the medians of pinned runs. A few very slow tokens are drawn at the edge, and counted, rather than flatten the rest.
class LatencyView : public ChartView {
  Q_OBJECT
 public:
  explicit LatencyView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("latency"); }
  QString title() const override { return tr("Latency"); }

 protected:
  ChartData build(const Snapshot& snapshot) const override;

 private:
  mutable StepCurve ms_;
  mutable PinnedCurves pinned_;
};

/// Where an axis of such values should end so that outliers can't squash the others: a little above all values where none
/// stands out; else above all but the largest hundredth (at least one, where there are several), and at most at five
/// medians.
double robustTop(const QList<QPointF>& points);

/// Where an axis of a running median should end: above all of it, but for the first few values, which are not yet a median
/// of enough tokens to be free of outliers.
double medianTop(const StepCurve& curve);

}  // namespace mla::ui
