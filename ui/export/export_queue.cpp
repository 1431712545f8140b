#include "ui/export/export_queue.h"

#include <QTimer>
#include <utility>

namespace mla::ui {

ExportQueue::ExportQueue(QObject* parent) : QObject(parent), thread_([this](const std::stop_token& stop) { loop(stop); }) {}

ExportQueue::~ExportQueue() { thread_.request_stop(); }

void ExportQueue::add(std::vector<ExportOrder> orders) {
  if (!busy()) {
    files_ = done_ = 0;
    ++batch_;
  }
  const bool idle = orders_.empty();
  for (ExportOrder& order : orders) {
    files_ += int(order.formats.size());
    orders_.push_back(std::move(order));
  }
  emit progressed();
  if (idle) QTimer::singleShot(0, this, &ExportQueue::record);
}

void ExportQueue::record() {
  if (orders_.empty()) return;
  hand_over(orders_.front());
  orders_.pop_front();
  if (orders_.empty()) {
    emit recorded();
  } else {
    QTimer::singleShot(0, this, &ExportQueue::record);
  }
}

void ExportQueue::hand_over(const ExportOrder& order) {
  const auto recording = std::make_shared<const Recording>(*order.view, order.size, order.formats);
  const std::lock_guard lock(mutex_);
  for (const Format format : order.formats)
    tasks_.push_back({batch_, recording, order.stem + QLatin1Char('.') + suffixOf(format), order.scale});
  handed_over_.notify_one();
}

void ExportQueue::loop(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (handed_over_.wait(lock, stop, [this] { return !tasks_.empty(); })) {
    if (stop.stop_requested()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    Status status = task.recording->write(task.path, task.scale);
    lock.lock();
    written_.push_back({task.batch, std::move(status)});
    QMetaObject::invokeMethod(this, "collect", Qt::QueuedConnection);
  }
}

void ExportQueue::collect() {
  std::vector<Done> written;
  {
    const std::lock_guard lock(mutex_);
    written.swap(written_);
  }
  for (const Done& done : written) {
    if (done.batch != batch_ || !busy()) continue;
    ++done_;
    emit progressed();
    if (done.status && busy()) continue;
    if (!done.status) drop();
    emit finished(done.status);
  }
}

void ExportQueue::cancel() {
  if (!busy()) return;
  drop();
  emit finished({});
}

void ExportQueue::drop() {
  const bool held = recording();
  orders_.clear();
  files_ = done_ = 0;
  {
    const std::lock_guard lock(mutex_);
    tasks_.clear();
  }
  if (held) emit recorded();
}

}  // namespace mla::ui
