// gpu/runtime/runtime.h on the processor.
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
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
  int compiled = 1000;
  std::set<std::string> loaded;  // kernels that have been launched outside captures
  int copies_begun = 0, launches_beside_copies = 0;
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
  Work copies;           // to the host, begun outside captures and not done: as late as may be
  std::size_t done = 0;  // copies before those
  bool capturing = false;
  Work captured;
  StreamState* origin = nullptr;     // whose capture this one has joined, by waiting for an event of it
  bool apart = false;                // did something there that the origin has not waited for
  std::vector<StreamState*> joined;  // the origin's
};

struct EventState {
  Clock::time_point at = Clock::now();
  StreamState* origin = nullptr;  // of the capture in which it was recorded
  StreamState* by = nullptr;
  std::size_t copies = 0;  // that its stream had begun
};

StreamState& state(Stream& stream) { return *static_cast<StreamState*>(stream.native()); }
EventState& state(const Event& event) { return *static_cast<EventState*>(event.native()); }

thread_local int captures = 0;  // that this thread has begun and not ended

/// Calls that might wait for all streams are refused while a graph is captured.
void outside_captures(const char* doing) {
  if (captures > 0)
    throw Failure(Failure::Kind::other,
                  std::string("CUDA: ") + doing + ": operation not permitted when stream is capturing");
}

/// Of the capture that the stream is part of, null outside.
StreamState* origin_of(StreamState& stream) { return stream.capturing ? &stream : stream.origin; }

/// Does the first `count` copies that the stream has ever begun.
void finish_copies(StreamState& stream, std::size_t count) {
  for (; stream.done < count; ++stream.done) {
    stream.copies.front()();
    stream.copies.erase(stream.copies.begin());
    --device().copies_begun;
  }
}
void finish_copies(StreamState& stream) { finish_copies(stream, stream.done + stream.copies.size()); }

void submit(Stream& stream, std::function<void()> work) {
  if (StreamState* const origin = origin_of(state(stream))) {
    state(stream).apart = &state(stream) != origin;
    origin->captured.push_back(std::move(work));
  } else {
    finish_copies(state(stream));
    work();
  }
}

/// Ends a capture for all streams that joined it; gives whether they had all come back.
bool leave(StreamState& origin) {
  bool back = true;
  for (StreamState* stream : std::exchange(origin.joined, {})) {
    back = back && !stream->apart;
    stream->origin = nullptr;
    stream->apart = false;
  }
  origin.capturing = false;
  return back;
}

/// Kernels are loaded when they are first launched, which may wait for all streams.
void load(const char* kernel, bool captured) {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (!captured) d.loaded.insert(kernel);
  if (!d.loaded.contains(kernel))
    throw Failure(Failure::Kind::other, std::string("CUDA: ") + kernel + ": loaded in a capture");
}

void take(std::size_t bytes) {
  outside_captures("allocating memory");
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
void set_compiled(int capability) { device().compiled = capability; }
void set_absent(const std::string& reason) { device().absent = reason; }
void set_total_memory(std::int64_t bytes) { device().total = bytes; }
std::int64_t allocated_memory() { return device().allocated; }
void fail_launch_after(int launches) { device().launches_left = launches; }
int launches_beside_copies() { return std::exchange(device().launches_beside_copies, 0); }

void launch(Stream& stream, const char* kernel, Index grid, int threads, std::size_t shared, std::function<void()> body) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0 || grid.y > 65535 || grid.z > 65535 || threads > 1024 ||
      int(shared) > shared_of(10 * device().major + device().minor))
    throw Failure(Failure::Kind::other, std::string("CUDA: ") + kernel + ": invalid configuration argument");
  load(kernel, origin_of(state(stream)) != nullptr);
  submit(stream, [=] {
    device().launches_beside_copies += device().copies_begun > 0;
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
  facts.compiled = device().compiled;
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
  outside_captures("allocating pinned memory");
  if (bytes) data_ = static_cast<std::byte*>(std::malloc(bytes));
}
Pinned::~Pinned() { std::free(data_); }

Event::Event() : native_(new EventState) {}
Event::~Event() { delete static_cast<EventState*>(native_); }
void Event::synchronize() const {
  const EventState& event = state(*this);
  if (event.origin) throw Failure(Failure::Kind::other, "CUDA: waiting for an event that was recorded in a capture");
  if (event.by) finish_copies(*event.by, event.copies);
}

double milliseconds_between(const Event& from, const Event& to) {
  return std::chrono::duration<double, std::milli>(state(to).at - state(from).at).count();
}

Graph::~Graph() { delete static_cast<Work*>(native_); }

Stream::Stream() : native_(new StreamState) {}
Stream::~Stream() {
  finish_copies(state(*this));  // if where they go is no more, the address sanitizer says so
  delete static_cast<StreamState*>(native_);
}

void Stream::to_device(void* to, const void* from, std::size_t bytes) { copy(to, from, bytes); }
void Stream::to_host(void* to, const void* from, std::size_t bytes) {
  if (origin_of(state(*this)) || bytes == 0) return copy(to, from, bytes);
  std::memset(to, 0xff, bytes);  // NaN: what is read before it was waited for shows
  state(*this).copies.push_back([=] { std::memcpy(to, from, bytes); });
  ++device().copies_begun;
}
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
  EventState& recorded = state(event);
  recorded.origin = origin_of(state(*this));
  recorded.by = &state(*this);
  recorded.copies = recorded.by->done + recorded.by->copies.size();
  if (!recorded.origin) {
    recorded.at = Clock::now();
    return;
  }
  submit(*this, [&recorded] { recorded.at = Clock::now(); });
}
void Stream::record_in_capture(const Event& event) {
  state(event).origin = nullptr;
  submit(*this, [&recorded = state(event)] { recorded.at = Clock::now(); });
}
void Stream::wait(const Event& event) {
  StreamState &mine = state(*this), *const origin = state(event).origin;
  if (!origin || !origin->capturing) {
    if (origin_of(mine)) throw Failure(Failure::Kind::other, "CUDA: waiting in a capture for what lies outside it");
    if (state(event).by && state(event).by != &mine) finish_copies(*state(event).by, state(event).copies);
    return;
  }
  if (&mine == origin) {
    if (state(event).by != origin) state(event).by->apart = false;
  } else if (!mine.origin) {
    mine.origin = origin;
    origin->joined.push_back(&mine);
  }
}
void Stream::synchronize() {
  if (origin_of(state(*this))) throw Failure(Failure::Kind::other, "CUDA: operation not permitted when stream is capturing");
  finish_copies(state(*this));
}

void Stream::begin_capture() {
  state(*this).capturing = true;
  ++captures;
}
Graph Stream::end_capture() {
  --captures;
  Graph graph(new Work(std::exchange(state(*this).captured, {})));
  if (!leave(state(*this))) throw Failure(Failure::Kind::other, "CUDA: ending a graph: a stream has not come back to it");
  return graph;
}
void Stream::cancel_capture() noexcept {
  if (state(*this).capturing) --captures;
  leave(state(*this));
  state(*this).captured.clear();
}
void Stream::launch(const Graph& graph) {
  finish_copies(state(*this));
  for (const auto& work : *static_cast<Work*>(graph.native())) work();
}

}  // namespace mla::gpu
