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
class WeightValues {
 public:
  using Make = std::function<Buffer<float>()>;

  WeightValues() = default;
  WeightValues(std::nullptr_t) {}
  WeightValues(std::shared_ptr<const Buffer<float>> values) : store_(std::make_shared<Store>()) {
    std::call_once(store_->once, [&] { store_->keep(std::move(values)); });
  }
  WeightValues(std::shared_ptr<Buffer<float>> values)
      : WeightValues(std::shared_ptr<const Buffer<float>>(std::move(values))) {}
  explicit WeightValues(Make make) : store_(std::make_shared<Store>()) { store_->make = std::move(make); }

  const Buffer<float>& operator*() const {
    std::call_once(store_->once, [this] {
      store_->keep(std::make_shared<const Buffer<float>>(store_->make()));
      store_->make = nullptr;  // and what it held
    });
    return *store_->values;
  }
  const Buffer<float>* operator->() const { return &**this; }
  explicit operator bool() const { return store_ != nullptr; }
  /// Whether the values are in memory by now.
  bool made() const { return store_ && store_->made; }
  /// Whether both are handles of the same values.
  bool operator==(const WeightValues& other) const { return store_ == other.store_; }

 private:
  struct Store {
    std::once_flag once;
    std::atomic<bool> made = false;
    Make make;
    std::shared_ptr<const Buffer<float>> values;
    void keep(std::shared_ptr<const Buffer<float>> kept) {
      values = std::move(kept);
      made = values != nullptr;
    }
  };
  std::shared_ptr<Store> store_;
};

}  // namespace mla
