#pragma once

#include <memory>
#include <vector>

#include "gpu/engine/trace_shape.h"

namespace mla::gpu {

/// Brings the attention rows of a pass to the host on a stream of its own, while the layers that follow run: two buffers on
/// the device, and in pinned memory, in turn. Belongs to one main stream. Steps have step_rows.h.
class TraceCopy {
 public:
  TraceCopy() = default;
  ~TraceCopy() { copies_.settle(); }

  /// The rows of so many layers will come. Throws Failure.
  void begin(Stream& main, const TraceShape& shape, int layers);
  /// Where the attention of that layer may write, once the main stream comes there.
  RowTrace next(int layer);
  /// Sends what was written.
  void send();
  /// The main stream goes on when all has been sent.
  void end();
  /// The rows of all layers, after the main stream has been waited for.
  AttentionRows take();

 private:
  static constexpr std::size_t kSlots = 2;
  std::size_t slot_bytes() const { return std::size_t(shape_.bytes()); }
  void read(std::size_t index);

  Stream copies_;
  Stream* main_ = nullptr;
  TraceShape shape_;
  Memory device_[kSlots];
  Pinned host_[kSlots];
  Event written_[kSlots];
  std::vector<Event> copied_;
  std::vector<int> layers_;  // sent so far
  std::size_t read_ = 0;     // of those, that the host has taken
  AttentionRows rows_;
};

}  // namespace mla::gpu
