#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "core/tensor/buffer.h"

namespace mla {

/// The values of a tensor, shared by all copies of this handle: there already, or made by the first who asks for them.
/// Threads that ask at once wait for the one that makes them. Making throws std::bad_alloc; the next who asks tries again.
template <class Values>
class Lazy {
 public:
  using Make = std::function<Values()>;

  Lazy() = default;
  Lazy(std::nullptr_t) {}
  Lazy(std::shared_ptr<const Values> values) : store_(std::make_shared<Store>()) { store_->keep(std::move(values)); }
  Lazy(std::shared_ptr<Values> values) : Lazy(std::shared_ptr<const Values>(std::move(values))) {}
  explicit Lazy(Make make) : store_(std::make_shared<Store>()) { store_->make = std::move(make); }

  const Values& operator*() const {
    if (!made()) store_->make_once();
    return *store_->values;
  }
  const Values* operator->() const { return &**this; }
  explicit operator bool() const { return store_ != nullptr; }
  /// Whether the values are in memory by now.
  bool made() const { return store_ && store_->made; }
  /// Tells the values apart from all others, while a handle of them exists.
  const void* id() const { return store_.get(); }
  /// Whether both are handles of the same values.
  bool operator==(const Lazy& other) const { return store_ == other.store_; }

 private:
  // A mutex, not std::call_once: that one never returns again after an exception where pthread_once knows of none.
  struct Store {
    std::mutex mutex;
    std::atomic<bool> made = false;
    Make make;
    std::shared_ptr<const Values> values;
    void keep(std::shared_ptr<const Values> kept) {
      values = std::move(kept);
      made = values != nullptr;
    }
    void make_once() {
      const std::lock_guard lock(mutex);
      if (made || !make) return;
      keep(std::make_shared<const Values>(make()));
      make = nullptr;  // and what it held
    }
  };
  std::shared_ptr<Store> store_;
};

/// fp32 values of a tensor, row-major.
using WeightValues = Lazy<Buffer<float>>;

}  // namespace mla
