#pragma once

#include <array>
#include <vector>

#include "core/engine/trace.h"
#include "ui/charts/chart_view.h"
#include "ui/charts/step_curve.h"

namespace mla::ui {

/// Where the time of a token goes: the running median of every stage, stacked, under that of the whole token.
class StagesView : public ChartView {
  Q_OBJECT
 public:
  explicit StagesView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("stages"); }
  QString title() const override { return tr("Stages of a token"); }

 protected:
  ChartData build(const Snapshot& snapshot) const override;

 private:
  mutable std::vector<StepCurve> stages_;  // by Stage
  mutable StepCurve total_;
};

}  // namespace mla::ui
