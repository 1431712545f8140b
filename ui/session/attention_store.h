#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// The attention rows of one layer as they come from the kernel, within a budget of bytes: the oldest are let go first.
class AttentionStore {
 public:
  /// Cells along a side of a thumbnail.
  static constexpr int kThumbnail = 64;

  AttentionStore(int layer, MapValue value, std::int64_t limit_bytes) : layer_(layer), limit_(limit_bytes), value_(value) {}

  int layer() const { return layer_; }
  /// Adds the rows of this layer; queries must come in order.
  void add(const StepTrace& trace);
  /// Pools another value, from the rows that are still held.
  void set_value(MapValue value);
  /// Immutable copies, shared between calls as long as nothing is added.
  AttentionHistory history();

 private:
  using RowPtr = std::shared_ptr<const AttentionRow>;
  void pool(const AttentionRow& row);

  int layer_;
  std::int64_t limit_;
  MapValue value_;
  std::int64_t bytes_ = 0;
  std::deque<RowPtr> rows_;
  std::optional<PooledMaps> maps_;
  std::optional<AttentionHistory> published_;
};

}  // namespace mla::ui
