#pragma once

#include <vector>

#include "core/spec/model_spec.h"
#include "gpu/ops/rows.h"

namespace mla::gpu {

/// The table of core/attention/rope.h in device memory: filled as positions come, 64 at a time.
class DeviceRope {
 public:
  DeviceRope(const AttentionSpec& attention, int context) : attention_(attention), context_(context) {}

  static std::int64_t bytes(const AttentionSpec& attention, int context);
  /// Has the angles of the positions [first, first + count). Throws Failure.
  void cover(Stream& stream, int first, int count);
  RopeView view() const { return {table_.data(), attention_.qk_rope_head_dim}; }

 private:
  AttentionSpec attention_;
  int context_;
  Array<float> table_;         // [context in whole blocks, qk_rope_head_dim]
  std::vector<bool> covered_;  // [blocks]
};

}  // namespace mla::gpu
