#include "ui/charts/chart_view.h"

#include <QCoreApplication>
#include <QVBoxLayout>
#include <algorithm>
#include <chrono>

namespace mla::ui {
namespace {

using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kApart{20};  // between redraws of any two
constexpr Milliseconds kAside{8};   // from a snapshot to a chart's redraw: half a frame

/// When a chart was last redrawn; all of them live on the window's thread.
Clock::time_point& last_redraw() {
  static Clock::time_point time;
  return time;
}

}  // namespace

ChartView::ChartView(Chart* chart, QWidget* parent) : View(parent), chart_(chart) {
  auto* box = new QVBoxLayout(this);
  box->setContentsMargins({});
  box->addWidget(chart_);
  setFocusProxy(chart_);
  pause_.setSingleShot(true);
  pause_.setTimerType(Qt::PreciseTimer);
  connect(&pause_, &QTimer::timeout, this, &ChartView::takeTurn);
}

void ChartView::setSnapshot(const SnapshotPtr& snapshot) {
  snapshot_ = snapshot;
  stale_ = true;
  if (!isVisible() || pause_.isActive()) return;
  wait(std::max<Clock::duration>(kAside, turns_.next() - Clock::now()));
}

void ChartView::wait(Clock::duration time) { pause_.start(std::chrono::ceil<Milliseconds>(time)); }

/// One chart at a time, between two frames of the maps: together they would hold the window for longer than a frame. Asked
/// when the timer fires and not when it starts, because a busy machine lets several fire at once.
void ChartView::takeTurn() {
  if (!stale_) return;
  const auto left = std::max(turns_.next(), last_redraw() + kApart) - Clock::now();
  if (left > Clock::duration::zero()) return wait(left);
  refresh();
}

void ChartView::refresh() {
  stale_ = true;
  if (!isVisible()) return;
  if (!chart().draw()) return;  // the snapshot has nothing new for it
  last_redraw() = Clock::now();
  turns_.note(last_redraw());
}

Chart& ChartView::chart() const {
  if (!stale_) return *chart_;
  ChartData shown;
  shown.empty = emptyText({});
  chart_->setData(snapshot_ ? build(*snapshot_) : std::move(shown));
  stale_ = false;
  return *chart_;
}

void ChartView::showEvent(QShowEvent* event) {
  View::showEvent(event);
  if (stale_) refresh();
}

void ChartView::paintTo(QPainter& painter, const QSizeF& size) { chart().paintTo(painter, size); }

Table ChartView::table() const { return chart().table(); }

QString emptyText(const Snapshot& snapshot) {
  if (snapshot.state == Snapshot::State::failed) return snapshot.error;
  if (snapshot.state == Snapshot::State::preparing) return snapshot.activity;
  return QCoreApplication::translate("ChartView", "press play (space) to measure");
}

}  // namespace mla::ui
