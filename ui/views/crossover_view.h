#pragma once

#include <QBoxLayout>
#include <QComboBox>
#include <QProgressBar>
#include <QPushButton>

#include "ui/charts/chart.h"
#include "ui/views/view.h"

namespace mla::ui {

/// From which size on absorption pays on this machine: the time of the three paths over context, prompt or batch, measured
/// and modelled, where they cross, and by how much the model is off. Measured when its button is pressed, with the decode
/// held meanwhile.
class CrossoverView : public View {
  Q_OBJECT
 public:
  explicit CrossoverView(QWidget* parent = nullptr);
  QString viewName() const override { return QStringLiteral("crossover"); }
  QString title() const override { return tr("Crossover"); }
  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  /// Of all sweeps, whichever is shown.
  Table table() const override;
  std::vector<ViewOption> options() override;

  SweepKind kind() const { return kSweepKinds[std::size_t(kinds_->currentIndex())]; }
  const Chart& times() const { return *times_; }
  const Chart& residuals() const { return *residuals_; }

 public slots:
  void setKind(mla::SweepKind kind);

 signals:
  void measureWanted();
  void cancelWanted();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* buildControls();
  QString emptyReason() const;
  void showControls();
  void showCharts();
  void arrange();

  SnapshotPtr snapshot_;
  QPushButton* button_;
  QComboBox* kinds_;
  QProgressBar* progress_;
  Chart *times_, *residuals_;
  QBoxLayout* box_;
};

}  // namespace mla::ui
