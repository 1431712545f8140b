// Where everything in the window is.
#include <QApplication>
#include <QLabel>
#include <QProgressBar>
#include <QScreen>
#include <QSplitter>
#include <QStatusBar>
#include <QTimer>
#include <QVBoxLayout>

#include "ui/controls/experiment_panel.h"
#include "ui/controls/transport_bar.h"
#include "ui/theme/theme.h"
#include "ui/views/attention_view.h"
#include "ui/views/compare_view.h"
#include "ui/views/coupled_view.h"
#include "ui/views/crossover_view.h"
#include "ui/views/factory.h"
#include "ui/views/heads_view.h"
#include "ui/views/latency_view.h"
#include "ui/views/memory_view.h"
#include "ui/views/quality_view.h"
#include "ui/views/rank_view.h"
#include "ui/views/stages_view.h"
#include "ui/views/tokens_view.h"
#include "ui/window/failure_bar.h"
#include "ui/window/main_window.h"
#include "ui/window/panes.h"

namespace mla::ui {
namespace {

/// Keeps a label whose text changes with each frame from having the status bar, and with it the window, laid out anew.
class LabelHolder : public QWidget {
 public:
  /// As wide as the text would be; without one, as narrow as it has to: a long line is cut.
  explicit LabelHolder(QLabel* label, const QString& widest = {}) : label_(label), widest_(widest) {
    label_->setParent(this);
    setSizePolicy(widest.isEmpty() ? QSizePolicy::Expanding : QSizePolicy::Fixed, QSizePolicy::Preferred);
  }
  QSize sizeHint() const override {
    return {1 + (widest_.isEmpty() ? 0 : fontMetrics().horizontalAdvance(widest_) + 12), label_->sizeHint().height()};
  }
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void resizeEvent(QResizeEvent*) override { label_->setGeometry(rect()); }

 private:
  QLabel* label_;
  QString widest_;
};

}  // namespace

void MainWindow::buildPanes() {
  panes_ = new Panes(*this);
  heads_ = new HeadsView;
  attention_ = new AttentionView;
  tokens_ = new TokensView;
  auto* memory = new MemoryView;
  auto* latency = new LatencyView;
  auto* stages = new StagesView;
  auto* quality = new QualityView;
  auto* rank = new RankView;
  auto* coupled = new CoupledView;
  auto* side_by_side = new CompareView;
  auto* crossover = new CrossoverView;
  connect(crossover, &CrossoverView::measureWanted, &session_, &Session::measureCrossover);
  connect(crossover, &CrossoverView::cancelWanted, &session_, &Session::cancelCrossover);
  views_ = {attention_, side_by_side, coupled, crossover, heads_, latency, memory, quality, rank, stages, tokens_};

  panes_->setCentre(tr("Attention"), buildCentre());
  panes_->add(QStringLiteral("experiment"), tr("Experiment"), buildExperimentPane(), Qt::LeftDockWidgetArea);
  for (View* view : {static_cast<View*>(memory), static_cast<View*>(latency), static_cast<View*>(stages)}) {
    panes_->add(view, Qt::RightDockWidgetArea);
  }
  panes_->add(tokens_, Qt::BottomDockWidgetArea);
  panes_->addBehind(quality, memory);
  panes_->addBehind(crossover, latency);
  panes_->addBehind(rank, stages);
  panes_->addBehind(coupled, stages);
  panes_->addBehind(side_by_side, tokens_);
  resize(QSize(1440, 900).boundedTo(screen()->availableSize()));
}

/// Shares the window's first size out: to the controls what they need, to the charts a bit more than a quarter of the width.
void MainWindow::arrangePanes() {
  const auto dock = [this](const char* name) { return findChild<QDockWidget*>(QLatin1String(name)); };
  resizeDocks({dock("experiment"), dock("memory")}, {panel_->minimumSizeHint().width(), width() * 28 / 100}, Qt::Horizontal);
  resizeDocks({dock("memory"), dock("latency"), dock("stages")}, {36, 32, 32}, Qt::Vertical);
  resizeDocks({dock("tokens")}, {height() / 6}, Qt::Vertical);
  panes_->noteDefaultLayout();
}

QWidget* MainWindow::buildExperimentPane() {
  panel_ = new ExperimentPanel;
  transport_ = new TransportBar;
  auto* pane = new QWidget;
  auto* layout = new QVBoxLayout(pane);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(panel_, 1);
  layout->addWidget(transport_);
  return pane;
}

QWidget* MainWindow::buildCentre() {
  banner_ = new QLabel;
  banner_->setWordWrap(true);
  banner_->setContentsMargins(8, 3, 8, 3);
  banner_->setAutoFillBackground(true);
  banner_->setBackgroundRole(QPalette::ToolTipBase);
  banner_->setForegroundRole(QPalette::ToolTipText);
  banner_->setAccessibleName(tr("What this run may claim"));
  auto* split = new QSplitter(Qt::Vertical);
  split->setObjectName(QStringLiteral("centre"));
  split->addWidget(heads_);
  split->addWidget(attention_);
  split->setStretchFactor(0, 0);
  split->setStretchFactor(1, 1);
  split->setSizes({140, 500});
  split->setChildrenCollapsible(false);
  auto* page = new QWidget;
  auto* layout = new QVBoxLayout(page);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  failure_ = new FailureBar;
  layout->addWidget(failure_);
  layout->addWidget(banner_);
  layout->addWidget(split, 1);
  return page;
}

void MainWindow::buildStatusBar() {
  status_ = new QLabel;
  status_->setAccessibleName(tr("Status"));
  status_->setContentsMargins(6, 0, 6, 0);
  status_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  status_pause_ = new QTimer(this);
  status_pause_->setSingleShot(true);
  status_pause_->setInterval(100);
  connect(status_pause_, &QTimer::timeout, this, &MainWindow::showStatus);
  history_ = new QLabel;
  history_->setAccessibleName(tr("Memory of the history"));
  history_->setContentsMargins(6, 0, 6, 0);
  progress_ = new QProgressBar;
  progress_->setAccessibleName(tr("Progress"));
  progress_->setFixedWidth(140);
  progress_->setMaximumHeight(fontMetrics().height());
  QSizePolicy kept = progress_->sizePolicy();  // coming and going it would resize, and so redraw, every pane
  kept.setRetainSizeWhenHidden(true);
  progress_->setSizePolicy(kept);
  statusBar()->addWidget(new LabelHolder(status_), 1);
  statusBar()->addPermanentWidget(new LabelHolder(history_, tr("history 000.0 MiB (≤ 000.0 MiB) · 000.0 KiB/token")));
  statusBar()->addPermanentWidget(progress_);
}

}  // namespace mla::ui
