#include "ui/charts/chart_view.h"

#include <QCoreApplication>
#include <QVBoxLayout>
#include <algorithm>
#include <chrono>

#include "ui/session/throttle.h"

namespace mla::ui {
namespace {

constexpr int kPause = 100;  // ms between two redraws of one chart
constexpr int kApart = 30;   // ms between redraws of any two
constexpr int kAside = 8;    // ms from a snapshot to a chart's redraw: half a frame

/// From when on the next chart may be redrawn; all of them live on the window's thread.
Clock::time_point& next_free() {
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
  connect(&pause_, &QTimer::timeout, this, [this] {
    if (stale_) refresh();
  });
}

void ChartView::setSnapshot(const SnapshotPtr& snapshot) {
  snapshot_ = snapshot;
  stale_ = true;
  if (!isVisible() || pause_.isActive()) return;
  redrawAfter(kAside);
}

/// In a turn of its own, between two frames of the maps, and one chart at a time: together they would hold the window for
/// longer than a frame.
void ChartView::redrawAfter(int ms) {
  const Clock::time_point now = Clock::now(), turn = std::max(now + std::chrono::milliseconds(ms), next_free());
  next_free() = turn + std::chrono::milliseconds(kApart);
  pause_.start(std::chrono::ceil<std::chrono::milliseconds>(turn - now));
}

void ChartView::refresh() {
  stale_ = true;
  if (!isVisible()) return;
  chart();
  redrawAfter(kPause);
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
