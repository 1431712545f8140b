#pragma once

#include <QTimer>

#include "ui/charts/chart.h"
#include "ui/session/throttle.h"
#include "ui/views/view.h"

namespace mla::ui {

/// A view that is one chart of the snapshot. Redraws ten times a second while it is visible and something in it changes, and
/// not at all otherwise; files, tables and chart() always have the newest snapshot.
class ChartView : public View {
  Q_OBJECT
 public:
  /// Takes the chart over.
  ChartView(Chart* chart, QWidget* parent);

  void setSnapshot(const SnapshotPtr& snapshot) override;
  void paintTo(QPainter& painter, const QSizeF& size) override;
  Table table() const override;

  /// The chart, showing the newest snapshot.
  Chart& chart() const;

 protected:
  /// What the chart shows of a snapshot; may keep what it computed for the next, larger one.
  virtual ChartData build(const Snapshot& snapshot) const = 0;
  /// Shows the snapshot again, after a setting of the view changed.
  void refresh();
  const SnapshotPtr& snapshot() const { return snapshot_; }

  void showEvent(QShowEvent* event) override;

 private:
  void takeTurn();
  void wait(Clock::duration time);

  Chart* chart_;
  SnapshotPtr snapshot_;
  mutable bool stale_ = true;  // the chart doesn't show snapshot_ yet
  Throttle turns_{std::chrono::milliseconds(100)};
  QTimer pause_;  // until the next redraw may come
};

/// What a chart without measurements says: why the run failed, what is being prepared, or what to press.
QString emptyText(const Snapshot& snapshot);

}  // namespace mla::ui
