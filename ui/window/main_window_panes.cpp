// Where everything in the window is.
#include <QApplication>
#include <QLabel>
#include <QProgressBar>
#include <QScreen>
#include <QSplitter>
#include <QStatusBar>
#include <QVBoxLayout>

#include "ui/controls/experiment_panel.h"
#include "ui/controls/transport_bar.h"
#include "ui/theme/theme.h"
#include "ui/views/attention_view.h"
#include "ui/views/factory.h"
#include "ui/views/heads_view.h"
#include "ui/views/latency_view.h"
#include "ui/views/memory_view.h"
#include "ui/views/stages_view.h"
#include "ui/views/tokens_view.h"
#include "ui/window/main_window.h"
#include "ui/window/panes.h"

namespace mla::ui {

void MainWindow::buildPanes() {
  panes_ = new Panes(*this);
  heads_ = new HeadsView;
  attention_ = new AttentionView;
  tokens_ = new TokensView;
  auto* memory = new MemoryView;
  auto* latency = new LatencyView;
  auto* stages = new StagesView;
  views_ = {attention_, heads_, latency, memory, stages, tokens_};

  panes_->setCentre(tr("Attention"), buildCentre());
  QDockWidget* experiment = panes_->add(QStringLiteral("experiment"), tr("Experiment"), buildExperimentPane(), Qt::LeftDockWidgetArea);
  QDockWidget* right[] = {panes_->add(memory->viewName(), memory->title(), memory, Qt::RightDockWidgetArea),
                          panes_->add(latency->viewName(), latency->title(), latency, Qt::RightDockWidgetArea),
                          panes_->add(stages->viewName(), stages->title(), stages, Qt::RightDockWidgetArea)};
  QDockWidget* text = panes_->add(tokens_->viewName(), tokens_->title(), tokens_, Qt::BottomDockWidgetArea);
  resize(1440, 900);
  resizeDocks({experiment, right[0]}, {320, 420}, Qt::Horizontal);
  resizeDocks({right[0], right[1], right[2]}, {260, 240, 240}, Qt::Vertical);
  resizeDocks({text}, {150}, Qt::Vertical);
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
  layout->addWidget(banner_);
  layout->addWidget(split, 1);
  return page;
}

void MainWindow::buildStatusBar() {
  status_ = new QLabel;
  status_->setAccessibleName(tr("Status"));
  status_->setContentsMargins(6, 0, 6, 0);
  status_->setMinimumWidth(1);  // a long line is cut, the window is not widened
  status_->setTextInteractionFlags(Qt::TextSelectableByMouse);
  progress_ = new QProgressBar;
  progress_->setAccessibleName(tr("Progress"));
  progress_->setFixedWidth(140);
  progress_->setMaximumHeight(fontMetrics().height());
  statusBar()->addWidget(status_, 1);
  statusBar()->addPermanentWidget(progress_);
}

}  // namespace mla::ui
