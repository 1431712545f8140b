#pragma once

#include <QObject>
#include <QThreadPool>
#include <atomic>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "ui/export/exporter.h"

namespace mla::ui {

/// A file to be written of a view for each format: `stem` and the format's suffix.
struct ExportOrder {
  View* view = nullptr;
  QSize size;
  double scale = 1;
  QString stem;
  std::vector<Format> formats;
};

/// Exports without holding up the window: views are recorded one an event-loop turn, files are written on a thread of the
/// queue's own. While recording() holds, the views should show no newer snapshot, so that all files show one moment.
class ExportQueue : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  ~ExportQueue() override;  ///< finishes the file being written, drops the rest

  void add(std::vector<ExportOrder> orders);
  /// Finishes the file being written and drops the rest.
  void cancel();
  bool recording() const { return !orders_.empty(); }
  std::pair<int, int> progress() const { return {done_, files_}; }  ///< files written, files in all
  bool busy() const { return recording() || done_ < files_; }

 signals:
  void progressed();
  void recorded();  ///< of all orders: the views are free again
  /// Nothing is left to do, or it was cancelled. The error is that of the first file that failed; the files after it were
  /// not written.
  void finished(const mla::Status& status);

 private:
  void record();
  void wrote(quint64 batch, const Status& status);
  void drop();

  std::deque<ExportOrder> orders_;
  int files_ = 0, done_ = 0;
  quint64 batch_ = 0;  // what belongs to an earlier one is of no interest any more
  std::shared_ptr<std::atomic<bool>> cancelled_;
  QThreadPool pool_;
};

}  // namespace mla::ui
