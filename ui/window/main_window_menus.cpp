// The menus of the window.
#include <QActionGroup>
#include <QApplication>
#include <QMenu>
#include <QMenuBar>

#include "core/model/model_catalog.h"
#include "ui/controls/transport_bar.h"
#include "ui/export/export_queue.h"
#include "ui/window/experiment_files.h"
#include "ui/window/help_dialogs.h"
#include "ui/window/main_window.h"
#include "ui/window/panes.h"
#include "ui/window/settings_keys.h"

namespace mla::ui {

void MainWindow::buildFileMenu() {
  QMenu& menu = *menuBar()->addMenu(tr("&File"));
  menu.addAction(tr("&New"), QKeySequence::New, this, [this] {
    files_->close();
    session_.setExperiment(first_experiment());
    session_.restart();
    session_.play();
  });
  menu.addAction(tr("&Open experiment…"), QKeySequence::Open, this, &MainWindow::chooseFile);
  menu.addAction(tr("Open &model…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O), this, &MainWindow::chooseModel);
  QMenu* recent = menu.addMenu(tr("Open &recent"));
  connect(files_, &ExperimentFiles::changed, recent, [=, this] { fillRecentMenu(*recent); });
  fillRecentMenu(*recent);
  menu.addAction(tr("&Save"), QKeySequence::Save, this, [this] { save(false); });
  menu.addAction(tr("Save &as…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_S), this, [this] { save(true); });
  menu.addSeparator();
  menu.addAction(tr("&Export view…"), QKeySequence(Qt::CTRL | Qt::Key_E), this, &MainWindow::exportOne);
  menu.addAction(tr("Export a&ll…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E), this, &MainWindow::exportEvery);
  cancel_export_ = menu.addAction(tr("&Cancel export"), exports_, &ExportQueue::cancel);
  cancel_export_->setEnabled(false);
  menu.addSeparator();
  menu.addAction(tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), this, &QWidget::close);
}

void MainWindow::fillRecentMenu(QMenu& menu) {
  menu.clear();
  for (const QString& path : files_->recent()) {
    menu.addAction(path, this, [=, this] { openFile(path); });
  }
  menu.setDisabled(menu.isEmpty());
}

void MainWindow::buildViewMenu() {
  QMenu& menu = *menuBar()->addMenu(tr("&View"));
  for (QDockWidget* dock : panes_->docks()) {
    QAction* shown = dock->toggleViewAction();
    menu.addAction(shown);
    connect(panes_, &Panes::maximisedChanged, shown, &QAction::setDisabled);
    connect(dock, &QDockWidget::visibilityChanged, this, [this, dock](bool seen) {
      seen ? (void)seen_.insert(dock) : (void)seen_.erase(dock);
      requestAttention(request_);
    });
  }
  connect(panes_, &Panes::maximisedChanged, this, [this] { requestAttention(request_); });
  menu.addSeparator();
  menu.addAction(tr("&Enlarge pane, and back"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_M), this,
                 [this] { panes_->toggleMaximised(panes_->paneOf(focusWidget())); });
  menu.addAction(tr("&Reset layout"), panes_, &Panes::resetLayout);
  menu.addSeparator();
  addThemes(*menu.addMenu(tr("&Theme")));
  menu.addAction(tr("&Bigger font"), QKeySequence::ZoomIn, this,
                 [this] { setFontSize(QApplication::font().pointSize() + 1); });
  menu.addAction(tr("&Smaller font"), QKeySequence::ZoomOut, this,
                 [this] { setFontSize(QApplication::font().pointSize() - 1); });
}

void MainWindow::addThemes(QMenu& menu) {
  auto* group = new QActionGroup(this);
  const QString names[] = {tr("&System"), tr("&Light"), tr("&Dark")};
  const int chosen = settings_ ? settings_->value(keys::theme, 0).toInt() : 0;
  for (const ThemeChoice choice : {ThemeChoice::system, ThemeChoice::light, ThemeChoice::dark}) {
    QAction* action = menu.addAction(names[int(choice)], this, [=, this] { setTheme(choice); });
    action->setCheckable(true);
    action->setChecked(int(choice) == chosen);
    group->addAction(action);
    if (settings_ && int(choice) == chosen) setTheme(choice);
  }
}

void MainWindow::setTheme(ThemeChoice choice) {
  applyTheme(*qApp, choice);
  if (settings_) settings_->setValue(keys::theme, int(choice));
}

void MainWindow::setFontSize(int points) {
  constexpr int smallest = 7, largest = 28;
  QFont font = QApplication::font();
  font.setPointSize(qBound(smallest, points, largest));
  QApplication::setFont(font);
  if (settings_) settings_->setValue(keys::font, font.pointSize());
}

void MainWindow::buildRunMenu() {
  QMenu& menu = *menuBar()->addMenu(tr("&Run"));
  menu.addActions({transport_->playAction(), transport_->stepAction(), transport_->resetAction()});
  menu.addAction(tr("&Cancel what is being prepared"), QKeySequence(Qt::CTRL | Qt::Key_Period), &session_, &Session::cancel);
  menu.addSeparator();
  menu.addAction(tr("&Pin this run"), QKeySequence(Qt::CTRL | Qt::Key_P), &session_, &Session::pin);
  menu.addAction(tr("&Clear pins"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P), this, &MainWindow::clearPins);
}

void MainWindow::clearPins() {
  for (int i = int(shown_->pinned.size()) - 1; i >= 0; --i) session_.unpin(i);
}

void MainWindow::buildHelpMenu() {
  QMenu& menu = *menuBar()->addMenu(tr("&Help"));
  menu.addAction(tr("&Shortcuts"), QKeySequence::HelpContents, this, [this] { show_shortcuts(this); });
  menu.addAction(tr("&About MLA Explorer"), this, [this] { show_about(this); });
}

}  // namespace mla::ui
