// gpu/runtime/runtime.h on the processor.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <stdexcept>

#include "gpu/runtime/runtime.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu {
namespace {

using Clock = std::chrono::steady_clock;
using Work = std::vector<std::function<void()>>;

constexpr std::int64_t kMemory = 4ll << 30;
constexpr std::size_t kMostShared = 227 * 1024;

struct Device {
  std::mutex mutex;
  int major = 9, minor = 0;
  std::string absent;
  std::int64_t total = kMemory, allocated = 0;
  int launches_left = -1;
};

Device& device() {
  static Device device;
  return device;
}

/// Shared memory that a block of that capability may ask for.
int shared_of(int capability) {
  if (capability < 80) return 64 * 1024;
  if (capability == 80 || capability == 87) return 163 * 1024;
  if (capability < 90 || capability >= 120) return 99 * 1024;
  return int(kMostShared);
}

struct StreamState {
  bool capturing = false;
  Work captured;
};

StreamState& state(Stream& stream) { return *static_cast<StreamState*>(stream.native()); }

void submit(Stream& stream, std::function<void()> work) {
  if (state(stream).capturing) {
    state(stream).captured.push_back(std::move(work));
  } else {
    work();
  }
}

void take(std::size_t bytes) {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (d.allocated + std::int64_t(bytes) > d.total)
    throw Failure(Failure::Kind::out_of_memory, "CUDA: allocating " + std::to_string(bytes) + " bytes: out of memory");
  d.allocated += std::int64_t(bytes);
}

void give(std::size_t bytes) {
  const std::lock_guard lock(device().mutex);
  device().allocated -= std::int64_t(bytes);
}

}  // namespace

namespace shim {

void set_capability(int major, int minor) {
  device().major = major;
  device().minor = minor;
}
void set_absent(const std::string& reason) { device().absent = reason; }
void set_total_memory(std::int64_t bytes) { device().total = bytes; }
std::int64_t allocated_memory() { return device().allocated; }
void fail_launch_after(int launches) { device().launches_left = launches; }

void launch(Stream& stream, const char* kernel, Index grid, int threads, std::size_t shared, std::function<void()> body) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 || threads > 1024 ||
      int(shared) > shared_of(10 * device().major + device().minor))
    throw Failure(Failure::Kind::other, std::string("CUDA: ") + kernel + ": invalid configuration argument");
  submit(stream, [=] {
    int& left = device().launches_left;
    if (left == 0) throw Failure(Failure::Kind::lost, std::string("CUDA: ") + kernel + ": unspecified launch failure");
    if (left > 0) --left;
    run_grid(grid, threads, shared, body);
  });
}

}  // namespace shim

Result<DeviceFacts> find_device() {
  if (!device().absent.empty()) return Error{device().absent};
  DeviceFacts facts;
  facts.name = "Test device";
  facts.major = device().major;
  facts.minor = device().minor;
  facts.multiprocessors = 4;
  facts.shared_bytes = shared_of(facts.capability());
  facts.total_memory = device().total;
  facts.driver = facts.runtime = 13000;
  return facts;
}

std::int64_t free_memory() { return device().total - device().allocated; }

Memory::Memory(std::size_t bytes) : bytes_(bytes) {
  if (bytes == 0) return;
  take(bytes);
  data_ = static_cast<std::byte*>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
  std::memset(data_, 0xff, bytes);  // NaN: what was never written shows
}
Memory::~Memory() {
  if (!data_) return;
  std::free(data_);
  give(bytes_);
}

Pinned::Pinned(std::size_t bytes) : bytes_(bytes) {
  if (bytes) data_ = static_cast<std::byte*>(std::malloc(bytes));
}
Pinned::~Pinned() { std::free(data_); }

Event::Event() : native_(new Clock::time_point(Clock::now())) {}
Event::~Event() { delete static_cast<Clock::time_point*>(native_); }
void Event::synchronize() const {}

double milliseconds_between(const Event& from, const Event& to) {
  return std::chrono::duration<double, std::milli>(*static_cast<Clock::time_point*>(to.native()) -
                                                   *static_cast<Clock::time_point*>(from.native()))
      .count();
}

Graph::~Graph() { delete static_cast<Work*>(native_); }

Stream::Stream() : native_(new StreamState) {}
Stream::~Stream() { delete static_cast<StreamState*>(native_); }

void Stream::to_device(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
void Stream::to_host(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
void Stream::copy(void* to, const void* from, std::size_t bytes) {
  submit(*this, [=] {
    if (bytes) std::memcpy(to, from, bytes);
  });
}
void Stream::zero(void* to, std::size_t bytes) {
  submit(*this, [=] {
    if (bytes) std::memset(to, 0, bytes);
  });
}
void Stream::record(const Event& event) {
  submit(*this, [at = static_cast<Clock::time_point*>(event.native())] { *at = Clock::now(); });
}
void Stream::record_in_capture(const Event& event) { record(event); }
void Stream::wait(const Event&) {}
void Stream::synchronize() {
  if (state(*this).capturing) throw Failure(Failure::Kind::other, "CUDA: operation not permitted when stream is capturing");
}

void Stream::begin_capture() { state(*this).capturing = true; }
Graph Stream::end_capture() {
  state(*this).capturing = false;
  return Graph(new Work(std::exchange(state(*this).captured, {})));
}
void Stream::cancel_capture() noexcept {
  state(*this).capturing = false;
  state(*this).captured.clear();
}
void Stream::launch(const Graph& graph) {
  for (const auto& work : *static_cast<Work*>(graph.native())) work();
}

}  // namespace mla::gpu
