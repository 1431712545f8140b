// What the window reads and writes: experiments in, experiments and pictures out.
#include <QAction>
#include <QDir>
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>
#include <QStatusBar>

#include "core/model/model_catalog.h"
#include "ui/export/export_queue.h"
#include "ui/window/experiment_files.h"
#include "ui/window/export_dialog.h"
#include "ui/window/main_window.h"
#include "ui/window/panes.h"

namespace mla::ui {
namespace {

constexpr double kPictureScale = 2;  // pixels a unit in a PNG
constexpr QSize kPictureSize{960, 600};

}  // namespace

void MainWindow::report(const Status& status) {
  if (status) return;
  auto* box = new QMessageBox(QMessageBox::Warning, windowTitle(), QString::fromStdString(status.error().message),
                              QMessageBox::Ok, this);
  box->setAttribute(Qt::WA_DeleteOnClose);
  box->open();
}

void MainWindow::openModel(const QString& directory) {
  Result<Experiment> experiment = experiment_of_model(directory.toStdString());
  if (!experiment) return report(experiment.error());
  experiment->sampling = session_.experiment().sampling;
  experiment->prompt = session_.experiment().prompt;
  files_->close();
  session_.setExperiment(*experiment);
  session_.restart();
  session_.play();
}

void MainWindow::openFile(const QString& path) {
  if (QFileInfo(path).isDir()) return openModel(path);
  const Result<SavedExperiment> saved = ExperimentFiles::read(path);
  if (!saved) return report(saved.error());
  if (const Status restored = restoreViews(views_, saved->views); !restored)
    return report(Error{path.toStdString() + ": " + restored.error().message});
  if (!saved->pinned.empty()) session_.setPinned(saved->pinned);  // otherwise those that are there stay for comparison
  SavedExperiment opened = shownExperiment();                     // with what the file leaves out
  opened.experiment = saved->experiment;
  if (!saved->pinned.empty()) opened.pinned = saved->pinned;
  files_->opened(path, opened);
  session_.setExperiment(saved->experiment);
  session_.restart();
  session_.play();
}

void MainWindow::chooseFile() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open experiment"), QFileInfo(files_->path()).path(),
                                                    tr("Experiments (*.mla.json);;All files (*)"));
  if (!path.isEmpty()) openFile(path);
}

void MainWindow::chooseModel() {
  const QString directory =
      QFileDialog::getExistingDirectory(this, tr("Open model: the folder with its config.json and safetensors"));
  if (!directory.isEmpty()) openModel(directory);
}

void MainWindow::save(bool ask_where) {
  QString path = files_->path();
  if (ask_where || path.isEmpty()) {
    const QString start = path.isEmpty() ? tr("experiment.mla.json") : path;
    path = QFileDialog::getSaveFileName(this, tr("Save experiment"), start, tr("Experiments (*.mla.json)"));
  }
  if (!path.isEmpty()) report(files_->save(path, shownExperiment()));
}

SavedExperiment MainWindow::shownExperiment() {
  SavedExperiment shown{session_.experiment(), {}, {}};
  for (const PinnedRun& run : session_.snapshot()->pinned) shown.pinned.push_back(run.experiment);
  for (View* view : views_)
    if (ViewState state = view->state(); !state.empty()) shown.views[view->viewName().toStdString()] = std::move(state);
  return shown;
}

void MainWindow::exportOne() {
  QWidget* pane = panes_->paneOf(focusWidget());
  const auto inside = [pane](const View* view) { return pane->isAncestorOf(view); };
  const auto chosen = std::find_if(views_.begin(), views_.end(), inside);
  ExportDialog dialog(views_, chosen == views_.end() ? nullptr : *chosen, this);
  if (dialog.exec() != QDialog::Accepted) return;
  const QString suffix = QLatin1Char('.') + suffixOf(dialog.format());
  QString path =
      QFileDialog::getSaveFileName(this, tr("Export view"), dialog.view()->viewName() + suffix, QLatin1Char('*') + suffix);
  if (path.isEmpty()) return;
  if (path.endsWith(suffix, Qt::CaseInsensitive)) path.chop(suffix.size());
  exports_->add({{dialog.view(), dialog.size(), kPictureScale, path, {dialog.format()}}});
}

void MainWindow::exportEvery() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder for every view as PNG, SVG, PDF and CSV"));
  if (!folder.isEmpty()) exportInto(folder);
}

void MainWindow::exportInto(const QString& folder) {
  if (!QDir().mkpath(folder)) return report(Error{tr("%1: the folder can't be made").arg(folder).toStdString()});
  std::vector<ExportOrder> orders;
  for (View* view : views_)
    orders.push_back({view,
                      kPictureSize,
                      kPictureScale,
                      QDir(folder).filePath(view->viewName()),
                      {Format::png, Format::svg, Format::pdf, Format::csv}});
  exports_->add(std::move(orders));
}

void MainWindow::connectExports() {
  connect(exports_, &ExportQueue::recorded, this, [this] { showSnapshot(session_.snapshot()); });
  connect(exports_, &ExportQueue::progressed, this, &MainWindow::showExports);
  connect(exports_, &ExportQueue::finished, this, [this](const Status& status) {
    showExports();
    report(status);
  });
}

/// Says how far the export is, where a run's own progress doesn't need the place.
void MainWindow::showExports() {
  cancel_export_->setEnabled(exports_->busy());
  const auto [done, files] = exports_->progress();
  if (exports_->busy())
    statusBar()->showMessage(tr("writing file %1 of %2").arg(done + 1).arg(files));
  else
    statusBar()->clearMessage();
}

void MainWindow::showTitle() {
  const QString path = files_->path();
  const QString name = path.isEmpty() ? QString() : QFileInfo(path).fileName() + QStringLiteral("[*] — ");
  setWindowTitle(name + tr("MLA Explorer"));
  setWindowModified(files_->differs(shownExperiment()));
}

}  // namespace mla::ui
