#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace mla::ui {

/// A list that one thread grows and others read as immutable copies, made only when somebody asks and something changed.
template <class T>
class GrowingList {
 public:
  const std::vector<T>& items() const { return items_; }
  /// For changes; copies handed out before keep what they had.
  std::vector<T>& edit() {
    copy_.reset();
    return items_;
  }
  std::shared_ptr<const std::vector<T>> share() {
    if (!copy_) copy_ = std::make_shared<const std::vector<T>>(items_);
    return copy_;
  }
  /// What an item takes at most, in a list that grows by doubling and in its copy.
  static constexpr std::int64_t kMostPerItem = 3 * std::int64_t(sizeof(T));
  /// What the list and the newest copy take.
  std::int64_t bytes() const {
    return std::int64_t(sizeof(T)) * std::int64_t(items_.capacity() + (copy_ ? copy_->capacity() : 0));
  }

 private:
  std::vector<T> items_;
  std::shared_ptr<const std::vector<T>> copy_;
};

}  // namespace mla::ui
