#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "core/spec/result.h"

namespace mla::gpu {

/// A call of the device's runtime that failed: which, and why. Thrown inside gpu/ and caught where it implements
/// core/engine/backend.h.
class Failure : public std::runtime_error {
 public:
  enum class Kind {
    out_of_memory,
    lost,  ///< the device answers no more in this process
    other,
  };
  Failure(Kind kind, const std::string& what) : std::runtime_error(what), kind_(kind) {}
  Kind kind() const { return kind_; }

 private:
  Kind kind_;
};

/// What is known of the device in use.
struct DeviceFacts {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int multiprocessors = 1;
  int shared_bytes = 49152;  ///< shared memory that one block may ask for
  std::int64_t total_memory = 0;
  int driver = 0, runtime = 0;  ///< versions, 1000 major + 10 minor
  int compiled = 1000;          ///< compute capability of the code that runs there, times 10: no more than the device's

  /// What kernels may use: an older device's code, translated, has only the older one's instructions.
  int capability() const { return std::min(10 * major + minor, compiled); }
};

/// The device that will be used, or in words why there is none: no driver, a driver too old for this runtime, no device, or
/// one of a compute capability for which nothing was compiled.
Result<DeviceFacts> find_device();

/// Bytes of device memory that are free now. Throws Failure.
std::int64_t free_memory();

/// Bytes of device memory, uninitialised. Throws Failure.
class Memory {
 public:
  Memory() = default;
  explicit Memory(std::size_t bytes);
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Memory();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Elements in device memory, uninitialised.
template <class T>
class Array {
 public:
  Array() = default;
  explicit Array(std::size_t size) : memory_(size * sizeof(T)), size_(size) {}

  T* data() const { return reinterpret_cast<T*>(memory_.data()); }
  std::size_t size() const { return size_; }
  std::size_t bytes() const { return memory_.bytes(); }

 private:
  Memory memory_;
  std::size_t size_ = 0;
};

/// Host memory that the device copies from and to without a detour. Throws Failure.
class Pinned {
 public:
  Pinned() = default;
  explicit Pinned(std::size_t bytes);
  Pinned(Pinned&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Pinned& operator=(Pinned&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Pinned();

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A moment in a stream's work.
class Event {
 public:
  Event();
  Event(Event&& other) noexcept : native_(std::exchange(other.native_, nullptr)) {}
  Event& operator=(Event&& other) noexcept {
    std::swap(native_, other.native_);
    return *this;
  }
  ~Event();

  /// Waits until the stream has come here.
  void synchronize() const;
  void* native() const { return native_; }

 private:
  void* native_ = nullptr;
};

/// Milliseconds between two events that have both happened and lie outside a capture's replay or in the same one.
double milliseconds_between(const Event& from, const Event& to);

/// A recorded sequence of work that is launched as one.
class Graph {
 public:
  Graph() = default;
  explicit Graph(void* native) : native_(native) {}
  Graph(Graph&& other) noexcept : native_(std::exchange(other.native_, nullptr)) {}
  Graph& operator=(Graph&& other) noexcept {
    std::swap(native_, other.native_);
    return *this;
  }
  ~Graph();

  void* native() const { return native_; }

 private:
  void* native_ = nullptr;
};

/// Work that the device does in order. All calls throw Failure; what fails on the device shows at the next synchronize().
class Stream {
 public:
  Stream();
  Stream(const Stream&) = delete;
  ~Stream();

  void to_device(void* to, const void* from, std::size_t bytes);
  void to_host(void* to, const void* from, std::size_t bytes);
  void copy(void* to, const void* from, std::size_t bytes);  ///< within the device
  void zero(void* to, std::size_t bytes);
  void record(const Event& event);
  /// Recorded so that a graph's replay records the event anew.
  void record_in_capture(const Event& event);
  /// What follows waits until the event has happened in its stream.
  void wait(const Event& event);
  void synchronize();
  /// Waits, whatever has failed: for memory that goes away.
  void settle() noexcept {
    try {
      synchronize();
    } catch (const Failure&) {
      // The device does nothing more.
    }
  }

  /// Until end_capture() work is recorded instead of done; an exception between the two leaves capturing with
  /// cancel_capture.
  void begin_capture();
  Graph end_capture();
  void cancel_capture() noexcept;
  void launch(const Graph& graph);

  void* native() const { return native_; }

 private:
  void* native_ = nullptr;
};

/// Names of the kernels launched (or captured) since, in order, where somebody listens: for tests and the benchmark.
class LaunchLog {
 public:
  LaunchLog();
  ~LaunchLog();
  LaunchLog(const LaunchLog&) = delete;
  const std::vector<std::string>& names() const { return names_; }

  /// Called by every launch.
  static void note(const char* kernel);

 private:
  std::vector<std::string> names_;
  LaunchLog* outer_;
};

}  // namespace mla::gpu
