#pragma once

#include <QObject>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
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
  explicit ExportQueue(QObject* parent = nullptr);
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
  /// A file to be written.
  struct Task {
    quint64 batch = 0;
    std::shared_ptr<const Recording> recording;
    QString path;
    double scale = 1;
  };
  struct Done {
    quint64 batch = 0;
    Status status;
  };

  void record();
  void hand_over(const ExportOrder& order);
  void loop(const std::stop_token& stop);
  Q_INVOKABLE void collect();  // called through the event loop when a file was written
  void drop();

  std::deque<ExportOrder> orders_;
  int files_ = 0, done_ = 0;
  quint64 batch_ = 0;  // what belongs to an earlier one is of no interest any more

  std::mutex mutex_;
  std::condition_variable_any handed_over_;
  std::deque<Task> tasks_;     // guarded
  std::vector<Done> written_;  // guarded
  std::jthread thread_;        // last: it uses the above
};

}  // namespace mla::ui
