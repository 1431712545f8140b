#include "ui/views/crossover_view.h"

#include <QFontMetricsF>
#include <QLabel>
#include <cmath>

#include "ui/charts/chart_view.h"
#include "ui/views/crossover_charts.h"

namespace mla::ui {
namespace {

constexpr double kTimesShare = 0.6;  // of the height, where the charts stand one above the other

/// The residuals stand under the times, whose x they share, or beside them; in a small pane they wait until it is enlarged.
enum class Arrangement { stacked, beside, times };

Arrangement arrangementOf(const QSizeF& size, const QFont& font) {
  const double em = QFontMetricsF(font).height();
  if (size.height() >= 24 * em) return Arrangement::stacked;
  return size.width() >= 40 * em ? Arrangement::beside : Arrangement::times;
}

}  // namespace

CrossoverView::CrossoverView(QWidget* parent)
    : View(parent),
      button_(new QPushButton),
      kinds_(new QComboBox),
      progress_(new QProgressBar),
      times_(new LineChart),
      residuals_(new LineChart),
      box_(new QBoxLayout(QBoxLayout::TopToBottom)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins({});
  column->setSpacing(0);
  column->addWidget(buildControls());
  column->addLayout(box_, 1);
  box_->setSpacing(0);
  box_->addWidget(times_, 3);
  box_->addWidget(residuals_, 2);
  times_->setAccessibleName(tr("Chart of the time of absorbed, expanded and re-expanded attention"));
  residuals_->hide();  // until there is room, so that a pane that nobody sees does not push the others
  residuals_->setAccessibleName(tr("Chart of measured over modelled time"));
  setFocusProxy(button_);
  connect(button_, &QPushButton::clicked, this, [this] {
    const bool measuring = snapshot_ && snapshot_->crossover.measuring();
    measuring ? emit cancelWanted() : emit measureWanted();
  });
  connect(kinds_, &QComboBox::currentIndexChanged, this, &CrossoverView::showCharts);
  setSnapshot({});
}

QWidget* CrossoverView::buildControls() {
  auto* controls = new QWidget;
  auto* row = new QHBoxLayout(controls);
  row->setContentsMargins(8, 4, 8, 2);
  kinds_->addItems({tr("decode over context"), tr("prefill over prompt"), tr("decode over batch")});
  kinds_->setToolTip(tr("What is decoded or read, and what changes along the axis"));
  kinds_->setAccessibleName(tr("Sweep"));
  kinds_->setMinimumContentsLength(8);
  kinds_->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
  kinds_->setMaximumWidth(16 * fontMetrics().height());
  auto* label = new QLabel(tr("s&how"));
  label->setBuddy(kinds_);
  progress_->setAccessibleName(tr("Progress of the measurement"));
  progress_->setToolTip(tr("The decode is held while this is measured"));
  progress_->setMaximumHeight(fontMetrics().height());
  progress_->setMaximumWidth(12 * fontMetrics().height());
  row->addWidget(button_);
  row->addWidget(label);
  row->addWidget(kinds_, 1);
  row->addWidget(progress_, 1);
  row->addStretch();
  return controls;
}

void CrossoverView::setSnapshot(const SnapshotPtr& snapshot) {
  const CrossoverReport none, &before = snapshot_ ? snapshot_->crossover : none,
                              &now = snapshot ? snapshot->crossover : none;
  const QString reason = emptyReason();
  const bool same =
      snapshot_ && before.crossover == now.crossover && before.progress == now.progress && before.error == now.error;
  snapshot_ = snapshot;
  if (same && reason == emptyReason()) return;
  showControls();
  showCharts();
}

void CrossoverView::setKind(SweepKind kind) { kinds_->setCurrentIndex(int(kind)); }

std::vector<ViewOption> CrossoverView::options() {
  std::vector<std::string> names;
  for (const SweepKind kind : kSweepKinds) names.emplace_back(name_of(kind));
  return {{"sweep", names, kinds_->currentIndex(), [this](int i) { kinds_->setCurrentIndex(i); }}};
}

QString CrossoverView::emptyReason() const {
  if (!snapshot_ || snapshot_->run == 0) return snapshot_ ? emptyText(*snapshot_) : QString();
  const CrossoverReport& report = snapshot_->crossover;
  if (!report.error.isEmpty()) return report.error;
  if (report.measuring()) return tr("measuring: the decode is held meanwhile");
  if (snapshot_->state == Snapshot::State::failed) return snapshot_->error;
  return tr("press Measure: takes some seconds, in which the decode is held");
}

void CrossoverView::showControls() {
  const CrossoverReport none, &report = snapshot_ ? snapshot_->crossover : none;
  const bool measuring = report.measuring();
  button_->setText(measuring ? tr("Ca&ncel") : tr("&Measure"));
  button_->setAccessibleName(measuring ? tr("Cancel the measurement") : tr("Measure where the paths cross"));
  button_->setToolTip(measuring ? tr("Stop measuring; what was measured is let go")
                                : tr("Measure absorbed, expanded and re-expanded attention; the decode is held meanwhile"));
  const bool can = snapshot_ && snapshot_->run > 0 && check_crossover(snapshot_->experiment);
  button_->setEnabled(measuring || can);
  progress_->setVisible(measuring);
  if (measuring) progress_->setValue(int(std::lround(100 * report.progress)));
}

void CrossoverView::showCharts() {
  const CrossoverReport none, &report = snapshot_ ? snapshot_->crossover : none;
  ChartData times, residuals;
  if (report.crossover && !report.crossover->sweep(kind()).points.empty()) {
    times = crossoverTimes(*report.crossover, kind());
    residuals = crossoverResiduals(*report.crossover, kind());
    if (report.measuring())
      times.headline = tr("measuring: %1 %; the decode is held").arg(std::lround(100 * report.progress));
  } else {
    times.x = {tr("tokens"), "", Unit::count, Scale::log, {}, {}};
    times.y = {tr("time"), "", Unit::ms, Scale::log, {}, {}};
    times.empty = emptyReason();
    if (report.crossover && !report.measuring()) times.empty = QString::fromStdString(report.crossover->sweep(kind()).note);
  }
  times_->setToolTip(times.headline);  // a small pane cuts it
  times_->setData(std::move(times));
  residuals_->setData(std::move(residuals));
  arrange();
}

void CrossoverView::paintTo(QPainter& painter, const QSizeF& size) {
  const Arrangement arrangement = arrangementOf(size, font());
  if (arrangement == Arrangement::times || residuals_->data().series.empty()) return times_->paintTo(painter, size);
  const bool flat = arrangement == Arrangement::beside;
  const QSizeF first(flat ? size.width() * kTimesShare : size.width(), flat ? size.height() : size.height() * kTimesShare);
  times_->paintTo(painter, first);
  painter.save();
  painter.translate(flat ? first.width() : 0, flat ? 0 : first.height());
  residuals_->paintTo(painter, flat ? QSizeF(size.width() - first.width(), size.height())
                                    : QSizeF(size.width(), size.height() - first.height()));
  painter.restore();
}

Table CrossoverView::table() const {
  const auto measured = snapshot_ ? snapshot_->crossover.crossover : nullptr;
  return crossoverTable(measured ? *measured : Crossover());
}

void CrossoverView::arrange() {
  const Arrangement arrangement = arrangementOf(QSizeF(size()), font());
  box_->setDirection(arrangement == Arrangement::beside ? QBoxLayout::LeftToRight : QBoxLayout::TopToBottom);
  residuals_->setVisible(arrangement != Arrangement::times && !residuals_->data().series.empty());
}

void CrossoverView::resizeEvent(QResizeEvent* event) {
  arrange();
  View::resizeEvent(event);
}

}  // namespace mla::ui
