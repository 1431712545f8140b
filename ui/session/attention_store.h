#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// The attention rows of one layer as they come from the kernel, within a budget of bytes. What does not fit is thinned: the
/// newest rows, at least half of the budget, are all there, and of those before them every second, fourth, eighth …
class AttentionStore {
 public:
  /// Cells along a side of a thumbnail.
  static constexpr int kThumbnail = 64;

  AttentionStore(int layer, MapValue value, std::int64_t limit_bytes) : layer_(layer), limit_(limit_bytes), value_(value) {}

  int layer() const { return layer_; }
  /// Adds the rows of this layer; queries must come in order.
  void add(const AttentionRows& rows);
  /// Pools another value, from the rows that are still held.
  void set_value(MapValue value);
  /// Immutable copies, shared between calls as long as nothing is added.
  AttentionHistory history();
  /// Bytes of the thumbnails and of their copy.
  std::int64_t thumbnail_bytes() const;

 private:
  using RowPtr = std::shared_ptr<const AttentionRow>;
  void pool(const AttentionRow& row);
  void shrink();
  void thin_oldest();
  void coarsen();

  int layer_;
  std::int64_t limit_;
  MapValue value_;
  std::int64_t bytes_ = 0, thinned_bytes_ = 0;  // of all rows, and of the thinned ones among them
  int stride_ = 1, whole_from_ = 0;
  std::vector<RowPtr> thinned_;  // queries before whole_from_ that stride_ divides
  std::deque<RowPtr> whole_;     // every query from whole_from_ on
  std::optional<PooledMaps> maps_;
  std::optional<AttentionHistory> published_;
};

}  // namespace mla::ui
