#pragma once

#include <QString>
#include <memory>
#include <span>
#include <vector>

#include "ui/session/snapshot.h"

namespace mla::ui {

/// Consecutive queries and keys: one cell of the screen, which may cover several tokens each way.
struct MapBlock {
  int query = 0, queries = 1;
  int key = 0, keys = 1;
  bool operator==(const MapBlock&) const = default;
};

/// The numbers of one cell, as its row holds them.
struct MapReading {
  int query = 0, key = 0;
  float weight = 0, nope = 0, rope = 0;
  bool has_rope = false;
  float total() const { return nope + rope; }
};

/// What a map shows: one value of one head, from the rows of a snapshot. A value; copies share the rows.
struct MapSource {
  quint64 run = 0;
  AttentionHistory history;
  std::shared_ptr<const std::vector<Token>> tokens;
  int head = 0;
  MapValue value = MapValue::weight;

  static MapSource from(const Snapshot& snapshot, int head, MapValue value);
  bool empty() const { return !history.rows || history.rows->empty(); }
  int heads() const { return empty() ? 0 : history.rows->back()->heads; }
  /// Recorded cells of one head.
  std::int64_t cells() const;
  int firstQuery() const { return empty() ? 0 : history.rows->front()->query; }
  /// One past the newest query.
  int end() const { return empty() ? 0 : history.rows->back()->query + 1; }
  /// The row of a query, null where it was not recorded or was let go.
  const AttentionRow* row(int query) const;
  /// The block as it is shown: where queries were thinned out, it is as high as the distance of those that are kept, of
  /// which the first stands for all.
  MapBlock keptBlock(const MapBlock& block) const;
  /// How many of a block's queries are held.
  int rowsIn(const MapBlock& block) const;
  /// The token's text as a label, with spaces made visible; its index where there is no text.
  QString tokenLabel(int position) const;
};

/// The map's values in one row, [keys]; `scratch` backs them where they have to be summed.
std::span<const float> valuesOf(const AttentionRow& row, int head, MapValue value, std::vector<float>& scratch);

/// All numbers of one cell; `key` must be below row.keys.
MapReading readCell(const AttentionRow& row, int head, int key);

/// The cell of a block that holds the largest of the map's values, the one whose colour the block has. Returns false where
/// the block has no recorded cell.
bool largestOf(const MapSource& source, const MapBlock& block, MapReading& reading);

}  // namespace mla::ui
