#include "ui/window/panes.h"

#include <QVBoxLayout>

namespace mla::ui {

Panes::Panes(QMainWindow& window) : QObject(&window), window_(window) {
  window_.setDockNestingEnabled(true);
  window_.setCorner(Qt::TopLeftCorner, Qt::LeftDockWidgetArea);
  window_.setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
  window_.setCorner(Qt::TopRightCorner, Qt::RightDockWidgetArea);
  window_.setCorner(Qt::BottomRightCorner, Qt::BottomDockWidgetArea);
  window_.setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
}

PaneTitle* Panes::newTitle(const QString& title, bool movable, QWidget* pane) {
  auto* bar = new PaneTitle(title, movable);
  connect(bar, &PaneTitle::maximiseWanted, this, [this, pane] { toggleMaximised(pane); });
  titles_.push_back(bar);
  return bar;
}

void Panes::setCentre(const QString& title, QWidget* content) {
  centre_ = new QWidget;
  centre_->setAccessibleName(title);
  auto* layout = new QVBoxLayout(centre_);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->setSpacing(0);
  layout->addWidget(newTitle(title, false, centre_));
  layout->addWidget(content, 1);
  window_.setCentralWidget(centre_);
}

QDockWidget* Panes::add(const QString& name, const QString& title, QWidget* content, Qt::DockWidgetArea area) {
  auto* dock = new QDockWidget(title, &window_);
  dock->setObjectName(name);
  dock->setAccessibleName(title);
  dock->setWidget(content);
  PaneTitle* bar = newTitle(title, true, dock);
  dock->setTitleBarWidget(bar);
  connect(bar, &PaneTitle::floatWanted, dock, [dock] { dock->setFloating(!dock->isFloating()); });
  connect(bar, &PaneTitle::hideWanted, dock, &QDockWidget::hide);
  window_.addDockWidget(area, dock);
  docks_.push_back(dock);
  return dock;
}

QDockWidget* Panes::add(View* view, Qt::DockWidgetArea area) { return add(view->viewName(), view->title(), view, area); }

QDockWidget* Panes::addBehind(View* view, View* front) {
  auto* before = qobject_cast<QDockWidget*>(paneOf(front));
  QDockWidget* dock = add(view, window_.dockWidgetArea(before));
  window_.tabifyDockWidget(before, dock);
  before->raise();
  return dock;
}

QWidget* Panes::paneOf(QWidget* widget) const {
  for (QDockWidget* dock : docks_) {
    if (widget && dock->isAncestorOf(widget)) return dock;
  }
  return centre_;
}

void Panes::toggleMaximised(QWidget* pane) {
  if (maximised_) {
    restore();
  } else {
    maximise(pane);
  }
  showTitles();
  emit maximisedChanged(maximised_ != nullptr);
}

void Panes::maximise(QWidget* pane) {
  before_ = window_.saveState(kVersion);
  maximised_ = pane;
  for (QDockWidget* dock : docks_) {
    if (dock == pane) dock->setFloating(false);
    dock->setVisible(dock == pane);
  }
  centre_->setVisible(pane == centre_);
}

void Panes::restore() {
  maximised_ = nullptr;
  centre_->show();
  window_.restoreState(before_, kVersion);
}

void Panes::showTitles() {
  for (PaneTitle* title : titles_) title->setMaximised(maximised_ != nullptr);
}

void Panes::resetLayout() { setLayout(default_layout_); }

void Panes::setLayout(const QByteArray& layout) {
  if (maximised_) toggleMaximised(maximised_);
  window_.restoreState(layout, kVersion);
}

}  // namespace mla::ui
