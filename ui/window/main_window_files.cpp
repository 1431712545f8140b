// What the window reads and writes: experiments in, experiments and pictures out.
#include <QFileDialog>
#include <QFileInfo>
#include <QMessageBox>

#include "ui/export/exporter.h"
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

void MainWindow::openFile(const QString& path) {
  const Result<Experiment> experiment = files_->open(path);
  if (!experiment) return report(experiment.error());
  session_.setExperiment(*experiment);
  session_.restart();
  session_.play();
}

void MainWindow::chooseFile() {
  const QString path = QFileDialog::getOpenFileName(this, tr("Open experiment"), QFileInfo(files_->path()).path(),
                                                    tr("Experiments (*.mla.json);;All files (*)"));
  if (!path.isEmpty()) openFile(path);
}

void MainWindow::save(bool ask_where) {
  QString path = files_->path();
  if (ask_where || path.isEmpty()) {
    const QString start = path.isEmpty() ? tr("experiment.mla.json") : path;
    path = QFileDialog::getSaveFileName(this, tr("Save experiment"), start, tr("Experiments (*.mla.json)"));
  }
  if (!path.isEmpty()) report(files_->save(path, session_.experiment()));
}

void MainWindow::exportOne() {
  QWidget* pane = panes_->paneOf(focusWidget());
  const auto inside = [pane](const View* view) { return pane->isAncestorOf(view); };
  const auto chosen = std::find_if(views_.begin(), views_.end(), inside);
  ExportDialog dialog(views_, chosen == views_.end() ? nullptr : *chosen, this);
  if (dialog.exec() != QDialog::Accepted) return;
  const QString suffix = suffixOf(dialog.format());
  const QString path = QFileDialog::getSaveFileName(
      this, tr("Export view"), dialog.view()->viewName() + QLatin1Char('.') + suffix, QStringLiteral("*.") + suffix);
  if (!path.isEmpty()) report(exportView(*dialog.view(), path, dialog.size(), kPictureScale));
}

void MainWindow::exportEvery() {
  const QString folder = QFileDialog::getExistingDirectory(this, tr("Folder for every view as PNG, SVG, PDF and CSV"));
  if (folder.isEmpty()) return;
  report(exportAll(views_, folder, {Format::png, Format::svg, Format::pdf, Format::csv}, kPictureSize, kPictureScale));
}

void MainWindow::showTitle() {
  const QString path = files_->path();
  const QString name = path.isEmpty() ? QString() : QFileInfo(path).fileName() + QStringLiteral("[*] — ");
  setWindowTitle(name + tr("MLA Explorer"));
  setWindowModified(files_->differs(session_.experiment()));
}

}  // namespace mla::ui
