#include "ui/views/map_grid.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mla::ui {

bool MapGrid::extends(const MapSource& source) const {
  if (source_.empty() || source.empty() || source.run != source_.run || source.head != source_.head ||
      source.value != source_.value || source.history.layer != source_.history.layer) {
    return false;
  }
  const int last = source_.end() - 1;
  return source.firstQuery() >= source_.firstQuery() && source.row(last) == source_.row(last);
}

void MapGrid::account(const AttentionRow& row, int sign) {
  const std::span<const float> values = valuesOf(row, source_.head, source_.value, scratch_);
  double sum = 0;
  float largest = 0;
  for (std::size_t key = 0; key < values.size(); ++key) {
    sum += values[key];
    largest = std::max(largest, std::abs(values[key]));
    column_sums_[key] += sign * double(values[key]);
  }
  row_sums_[row.query] = sign > 0 ? sum : 0;
  row_largest_[row.query] = sign > 0 ? largest : 0;
}

void MapGrid::fold(const AttentionRow& row) {
  const std::size_t block = std::size_t(row.query) >> query_level_;
  if (blocks_.size() <= block) blocks_.resize(block + 1);
  const std::span<const float> values = valuesOf(row, source_.head, source_.value, scratch_);
  std::vector<float>& pooled = blocks_[block];
  pooled.resize(std::max(pooled.size(), ((values.size() - 1) >> key_level_) + 1), PooledMaps::empty);
  const std::size_t width = std::size_t(1) << key_level_;
  for (std::size_t start = 0, i = 0; start < values.size(); start += width, ++i) {
    const auto end = values.begin() + std::min(start + width, values.size());
    pooled[i] = std::max(pooled[i], *std::max_element(values.begin() + start, end));
  }
}

void MapGrid::rebuild() {
  blocks_.clear();
  if (!pooled() || source_.empty()) return;
  for (const auto& row : *source_.history.rows) fold(*row);
}

/// Takes out of the sums what is no longer held; returns the blocks of queries in which that was, in order.
std::vector<int> MapGrid::forget(const Rows& before) {
  const Rows& rows = *source_.history.rows;
  std::vector<int> blocks;
  auto kept = rows.begin();
  for (const auto& row : before) {
    while (kept != rows.end() && (*kept)->query < row->query) ++kept;
    if (kept != rows.end() && (*kept)->query == row->query) continue;
    account(*row, -1);
    const int block = row->query >> query_level_;
    if (blocks.empty() || blocks.back() != block) blocks.push_back(block);
  }
  return blocks;
}

/// Pools blocks again from those of their rows that are left; rows from `known` on are still to come.
void MapGrid::repool(const std::vector<int>& blocks, int known) {
  const Rows& rows = *source_.history.rows;
  for (const int block : blocks) {
    blocks_[block].clear();
    const auto before = [](const auto& row, int query) { return row->query < query; };
    auto row = std::lower_bound(rows.begin(), rows.end(), block << query_level_, before);
    for (; row != rows.end() && (*row)->query >> query_level_ == block && (*row)->query < known; ++row) fold(**row);
  }
}

void MapGrid::update(const MapSource& source, int queryLevel, int keyLevel) {
  const bool same_levels = queryLevel == query_level_ && keyLevel == key_level_;
  const bool grown = extends(source);
  const MapSource old = std::exchange(source_, source);
  query_level_ = queryLevel;
  key_level_ = keyLevel;
  if (!grown) {
    row_sums_.clear();
    column_sums_.clear();
    row_largest_.clear();
  }
  row_sums_.resize(source_.end());
  column_sums_.resize(source_.end());
  row_largest_.resize(source_.end());
  if (source_.empty()) return rebuild();

  const int known = grown ? old.end() : 0;
  const std::vector<int> thinned = grown ? forget(*old.history.rows) : std::vector<int>();
  const Rows& rows = *source_.history.rows;
  const auto fresh = std::find_if(rows.begin(), rows.end(), [&](const auto& row) { return row->query >= known; });
  for (auto row = fresh; row != rows.end(); ++row) account(**row, 1);

  if (!grown || !same_levels) return rebuild();
  if (!pooled()) return;
  repool(thinned, known);
  for (auto row = fresh; row != rows.end(); ++row) fold(**row);
}

std::span<const float> MapGrid::blockRow(int block, std::vector<float>& scratch) const {
  if (pooled()) {
    if (block < 0 || std::size_t(block) >= blocks_.size()) return {};
    return blocks_[block];
  }
  const AttentionRow* row = source_.row(block);
  return row ? valuesOf(*row, source_.head, source_.value, scratch) : std::span<const float>();
}

double MapGrid::largest() const {
  return row_largest_.empty() ? 0 : *std::max_element(row_largest_.begin(), row_largest_.end());
}

}  // namespace mla::ui
