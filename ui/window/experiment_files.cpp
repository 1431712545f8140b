#include "ui/window/experiment_files.h"

#include <QFileInfo>
#include <utility>

#include "core/io/file.h"
#include "core/model/model_catalog.h"

namespace mla::ui {
namespace {

constexpr int kMostRecent = 8;
const QString kRecentKey = QStringLiteral("files/recent");

}  // namespace

ExperimentFiles::ExperimentFiles(QSettings* settings, QObject* parent) : QObject(parent), settings_(settings) {
  if (settings_) recent_ = settings_->value(kRecentKey).toStringList().mid(0, kMostRecent);
}

Result<SavedExperiment> ExperimentFiles::read(const QString& path) { return read_saved_experiment(path.toStdString()); }

Status ExperimentFiles::save(const QString& path, const SavedExperiment& saved) {
  const Status written = write_file_atomically(path.toStdString(), to_json(saved));
  if (written) opened(path, saved);
  return written;
}

void ExperimentFiles::close() {
  path_.clear();
  emit changed();
}

void ExperimentFiles::opened(const QString& path, const SavedExperiment& saved) {
  path_ = QFileInfo(path).absoluteFilePath();
  saved_ = saved;
  recent_.removeAll(path_);
  recent_.prepend(path_);
  recent_ = recent_.mid(0, kMostRecent);
  if (settings_) settings_->setValue(kRecentKey, recent_);
  emit changed();
}

}  // namespace mla::ui
