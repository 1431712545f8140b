#include "ui/export/export_queue.h"

#include <QTimer>
#include <utility>

namespace mla::ui {

ExportQueue::~ExportQueue() {
  if (cancelled_) *cancelled_ = true;
  pool_.waitForDone();
}

void ExportQueue::add(std::vector<ExportOrder> orders) {
  if (!busy()) {
    files_ = done_ = 0;
    ++batch_;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    pool_.setMaxThreadCount(1);
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
  const ExportOrder order = std::move(orders_.front());
  orders_.pop_front();
  const auto recording = std::make_shared<const Recording>(*order.view, order.size, order.formats);
  for (const Format format : order.formats)
    pool_.start([this, recording, path = order.stem + QLatin1Char('.') + suffixOf(format), scale = order.scale,
                 batch = batch_, cancelled = cancelled_] {
      if (*cancelled) return;
      const Status status = recording->write(path, scale);
      QMetaObject::invokeMethod(this, [this, batch, status] { wrote(batch, status); });
    });
  if (orders_.empty()) {
    emit recorded();
  } else {
    QTimer::singleShot(0, this, &ExportQueue::record);
  }
}

void ExportQueue::wrote(quint64 batch, const Status& status) {
  if (batch != batch_ || *cancelled_) return;
  ++done_;
  emit progressed();
  if (status && busy()) return;
  if (!status) drop();
  emit finished(status);
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
  if (cancelled_) *cancelled_ = true;
  if (held) emit recorded();
}

}  // namespace mla::ui
