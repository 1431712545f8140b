#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/engine/trace.h"

namespace mla {

/// Which value of an attention row a map shows.
enum class MapValue { weight, score, nope, rope };
std::string_view name_of(MapValue value);

/// The value of one cell; score is the sum of its NoPE and RoPE parts. 0 for `rope` where there is no RoPE.
float cell(const AttentionRow& row, int head, int key, MapValue value);

/// A max-pooled picture [size, size] of a growing causal map, one a head: cell (i, j) holds the largest value of the queries
/// and keys it covers, never a sample. Cells above the diagonal hold `empty`.
class PooledMaps {
 public:
  static constexpr float empty = -1e30f;
  PooledMaps(int heads, int size, MapValue value);

  /// Adds the next query's row. Halves the resolution when the map outgrows its pictures.
  void add(const AttentionRow& row);
  int heads() const { return heads_; }
  int size() const { return size_; }
  int tokens_per_cell() const { return stride_; }
  /// One past the newest query, and how many of the queries before it were added.
  int queries() const { return queries_; }
  int rows() const { return rows_; }
  /// Cells in use along each side: ceil(queries / tokens_per_cell()).
  int used() const;
  /// Row-major [size, size] of one head; rows are queries.
  const float* map(int head) const { return cells_.data() + std::size_t(head) * size_ * size_; }
  MapValue value() const { return value_; }

 private:
  void halve();
  int heads_, size_, stride_ = 1, queries_ = 0, rows_ = 0;
  MapValue value_;
  std::vector<float> cells_;
};

}  // namespace mla
