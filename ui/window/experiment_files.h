#pragma once

#include <QObject>
#include <QSettings>
#include <QString>
#include <QStringList>

#include "core/spec/result.h"
#include "core/spec/saved_experiment.h"

namespace mla::ui {

/// Experiment files (.mla.json): the one that is open, and those opened lately.
class ExperimentFiles : public QObject {
  Q_OBJECT
 public:
  /// `settings` remembers the recent files; null: nothing does.
  explicit ExperimentFiles(QSettings* settings, QObject* parent = nullptr);

  /// Reads a file. An error names it.
  static Result<SavedExperiment> read(const QString& path);
  /// Makes a file that holds this the open one.
  void opened(const QString& path, const SavedExperiment& saved);
  /// Writes a file, whole or not at all, and makes it the open one.
  Status save(const QString& path, const SavedExperiment& saved);
  /// From now on there is no file.
  void close();

  QString path() const { return path_; }
  /// Whether this is something else than the open file holds.
  bool differs(const SavedExperiment& shown) const { return !path_.isEmpty() && shown != saved_; }
  /// Newest first.
  const QStringList& recent() const { return recent_; }

 signals:
  void changed();

 private:
  QSettings* settings_;
  QString path_;
  SavedExperiment saved_;
  QStringList recent_;
};

}  // namespace mla::ui
