#pragma once

#include <memory>
#include <vector>

#include "core/engine/trace.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// What the attention rows of a pass look like.
struct TraceShape {
  int heads = 0;
  bool rope = false;
  int first = 0;      ///< position of the first query
  int positions = 0;  ///< queries of a layer …
  int from = 0;       ///< … of which those from here on are reported
  std::int64_t stride = 0;
};

/// Brings attention rows to the host on a stream of its own, while the layers that follow run: two buffers on the device in
/// turn. Belongs to one main stream.
class TraceCopy {
 public:
  /// `layers` rows will come. `at_once`: the host looks at none of them before the end (as in a captured graph); otherwise
  /// it takes them as they arrive, so that two lie in pinned memory at most. Throws Failure.
  void begin(Stream& main, const TraceShape& shape, int layers, bool at_once);
  /// Instead of begin(), where a graph that was captured after it sends those layers' rows again.
  void repeat(const TraceShape& shape, const std::vector<int>& layers);
  /// Where the attention of that layer may write, once the main stream comes there.
  RowTrace next(int layer);
  /// Sends what was written.
  void send();
  /// The main stream goes on when all has been sent.
  void end();
  /// The rows of all layers, after the main stream has been waited for.
  std::vector<std::shared_ptr<const AttentionRow>> take();
  /// Counts the moves of buffers, which void captured graphs.
  int generation() const { return generation_; }

 private:
  std::int64_t array_values() const { return std::int64_t(shape_.positions) * shape_.heads * shape_.stride; }
  std::size_t slot_bytes() const { return std::size_t(array_values()) * (shape_.rope ? 3 : 2) * sizeof(float); }
  void read(std::size_t index);

  Stream copies_;
  Stream* main_ = nullptr;
  TraceShape shape_;
  Memory device_[2];
  Pinned host_;
  std::size_t host_slots_ = 0;
  Event written_[2];
  std::vector<Event> copied_;
  std::vector<int> layers_;  // sent so far
  std::size_t read_ = 0;     // of those, that the host has taken
  std::vector<std::shared_ptr<const AttentionRow>> rows_;
  int generation_ = 0;
};

}  // namespace mla::gpu
