#pragma once

#include <memory>
#include <vector>

#include "core/engine/trace.h"
#include "gpu/engine/trace_shape.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// Brings the attention rows of decode steps to the host on a stream of its own: while one step's are on their way, the next
/// step runs and writes into another set of buffers. All calls throw Failure.
class StepRows {
 public:
  StepRows() = default;
  ~StepRows() { forget(); }

  /// A step begins whose rows of `layers` go to the set from which nothing is on its way: there is one where fetch() follows
  /// each send().
  void begin(const TraceShape& shape, const std::vector<int>& layers);
  /// Where the attention of that layer writes.
  RowTrace place_of(int layer) const;
  /// The set that the step writes into, 0 or 1, and where it lies: what a captured step depends on.
  int turn() const { return turn_; }
  const void* place() const { return sets_[turn_].device.data(); }
  /// Sends what `main` has been told to write.
  void send(Stream& main);
  /// Waits for all rows that were sent, but for those of the newest step where `all` is false, and gives them.
  AttentionRows fetch(bool all);
  /// Gives up what is on its way.
  void forget() noexcept;

  /// Device bytes of both sets, at most, where one layer is looked at.
  static std::int64_t bytes(const TraceShape& shape) { return 2 * shape.bytes(); }

 private:
  struct Set {
    TraceShape shape;
    std::vector<int> layers;
    Memory device;
    Pinned host;
    Event written, copied;
    bool sent = false;
  };
  static void read(Set& set, AttentionRows& rows);

  Stream copies_;
  Set sets_[2];
  int turn_ = 0;
};

}  // namespace mla::gpu
