#include "ui/window/experiment_files.h"

#include <QFileInfo>
#include <utility>

#include "core/io/file.h"

namespace mla::ui {
namespace {

constexpr int kMostRecent = 8;
const QString kRecentKey = QStringLiteral("files/recent");

}  // namespace

ExperimentFiles::ExperimentFiles(QSettings* settings, QObject* parent) : QObject(parent), settings_(settings) {
  if (settings_) recent_ = settings_->value(kRecentKey).toStringList().mid(0, kMostRecent);
}

Result<Experiment> ExperimentFiles::open(const QString& path) {
  const Result<std::string> text = read_file(path.toStdString());
  if (!text) return text.error();
  const Result<Experiment> experiment = experiment_from_json(*text, path.toStdString());
  if (!experiment) return experiment;
  if (const Status valid = validate(*experiment); !valid) return Error{path.toStdString() + ": " + valid.error().message};
  note(path, *experiment);
  return experiment;
}

Status ExperimentFiles::save(const QString& path, const Experiment& experiment) {
  const Status written = write_file_atomically(path.toStdString(), to_json(experiment));
  if (written) note(path, experiment);
  return written;
}

void ExperimentFiles::close() {
  path_.clear();
  emit changed();
}

void ExperimentFiles::note(const QString& path, const Experiment& experiment) {
  path_ = QFileInfo(path).absoluteFilePath();
  saved_ = experiment;
  recent_.removeAll(path_);
  recent_.prepend(path_);
  recent_ = recent_.mid(0, kMostRecent);
  if (settings_) settings_->setValue(kRecentKey, recent_);
  emit changed();
}

}  // namespace mla::ui
