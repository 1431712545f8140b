#pragma once

#include "ui/charts/chart_view.h"
#include "ui/charts/step_curve.h"

class QToolButton;

namespace mla::ui {

/// Bytes of the KV cache against the tokens held: this run and the pinned ones as measured, every variant at the same
/// dimensions by formula (core/analysis/memory.h), all for the layers that run and the batch.
class MemoryView : public ChartView {
  Q_OBJECT
 public:
  explicit MemoryView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("memory"); }
  QString title() const override { return tr("Cache memory"); }
  /// One row a number of tokens measured: this run's bytes held and allocated, every formula's, every pinned run's.
  Table table() const override;
  std::vector<ViewOption> options() override;

 public slots:
  void setLogarithmic(bool on);

 protected:
  ChartData build(const Snapshot& snapshot) const override;

 private:
  QToolButton* log_;
  mutable StepCurve bytes_;
  mutable PinnedCurves pinned_;
};

}  // namespace mla::ui
