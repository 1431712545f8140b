#include "ui/session/mailbox.h"

#include <utility>

namespace mla::ui {

Orders Mailbox::take(std::optional<Clock::time_point> deadline) {
  std::unique_lock lock(mutex_);
  const auto posted = [this] { return orders_.any; };
  if (deadline && *deadline > Clock::now()) {
    wake_.wait_until(lock, *deadline, posted);
  } else if (!deadline) {
    wake_.wait(lock, posted);
  }
  if (stop_.stop_requested()) stop_ = std::stop_source();
  return std::exchange(orders_, {});
}

std::stop_token Mailbox::stop_token() const {
  const std::lock_guard lock(mutex_);
  return stop_.get_token();
}

}  // namespace mla::ui
