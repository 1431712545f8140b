#pragma once

#include <memory>
#include <vector>

#include "ui/views/map_source.h"

namespace mla::ui {

/// A map pooled to blocks of 2^level tokens each way, with its sums, kept up to date row by row as a decode goes on: only
/// what is new is read again. A block holds the largest value of the recorded cells it covers.
class MapGrid {
 public:
  /// Makes the grid show `source` at these levels.
  void update(const MapSource& source, int queryLevel, int keyLevel);

  /// The pooled values of the queries [block << queryLevel, (block + 1) << queryLevel), one per block of keys, shorter than
  /// the map where the diagonal ends them; empty where none of these queries was recorded.
  std::span<const float> blockRow(int block, std::vector<float>& scratch) const;

  /// Sum of each query's values, [end]; 0 where not recorded.
  const std::vector<double>& rowSums() const { return row_sums_; }
  /// Sum over the recorded queries of each key's values, [end].
  const std::vector<double>& columnSums() const { return column_sums_; }
  /// Largest magnitude among the recorded cells.
  double largest() const;

 private:
  bool extends(const MapSource& source) const;
  using Rows = std::vector<std::shared_ptr<const AttentionRow>>;
  void account(const AttentionRow& row, int sign);
  std::vector<int> forget(const Rows& before);
  void repool(const std::vector<int>& blocks, int known);
  void fold(const AttentionRow& row);
  void rebuild();
  bool pooled() const { return query_level_ > 0 || key_level_ > 0; }

  MapSource source_;
  int query_level_ = 0, key_level_ = 0;
  std::vector<std::vector<float>> blocks_;  ///< by block of queries; unused at level 0, 0
  std::vector<double> row_sums_, column_sums_;
  std::vector<float> row_largest_;
  std::vector<float> scratch_;
};

}  // namespace mla::ui
