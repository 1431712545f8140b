#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

namespace mla {

/// Memory for std::free, aligned to a cache line; what is large lies in huge pages where the system has them, since a pass
/// over it would otherwise wait for address translation. Throws std::bad_alloc.
void* allocate_bytes(std::size_t bytes);

/// Uninitialised memory of trivial elements, aligned to a cache line. Throws std::bad_alloc; callers check the size first.
template <class T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size), data_(allocate(size)) {}

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return size_ * sizeof(T); }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  static T* allocate(std::size_t size) { return size == 0 ? nullptr : static_cast<T*>(allocate_bytes(size * sizeof(T))); }

  std::size_t size_ = 0;
  std::unique_ptr<T[], Free> data_;
};

}  // namespace mla
