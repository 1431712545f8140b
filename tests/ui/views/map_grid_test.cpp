#include "ui/views/map_grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "tests/ui/views/map_fixture.h"

namespace mla::ui {
namespace {

/// The largest recorded value of a block, by definition.
float bruteForce(const MapSource& source, int queryLevel, int keyLevel, int i, int j) {
  float largest = PooledMaps::empty;
  for (const auto& row : *source.history.rows) {
    if (row->query >> queryLevel != i) continue;
    for (int key = 0; key < row->keys; ++key) {
      if (key >> keyLevel == j) largest = std::max(largest, cell(*row, source.head, key, source.value));
    }
  }
  return largest;
}

void expectGrid(const MapGrid& grid, const MapSource& source, int queryLevel, int keyLevel) {
  std::vector<float> scratch;
  for (int i = 0; i <= (source.end() - 1) >> queryLevel; ++i) {
    const std::span<const float> row = grid.blockRow(i, scratch);
    for (int j = 0; j <= (source.end() - 1) >> keyLevel; ++j) {
      const float expected = bruteForce(source, queryLevel, keyLevel, i, j);
      const float got = std::size_t(j) < row.size() ? row[j] : PooledMaps::empty;
      ASSERT_EQ(got, expected) << "block " << i << ", " << j << " at levels " << queryLevel << ", " << keyLevel;
    }
  }
  double largest = 0;
  std::vector<double> columns(source.end(), 0);
  for (const auto& row : *source.history.rows) {
    double sum = 0;
    for (int key = 0; key < row->keys; ++key) {
      const double value = cell(*row, source.head, key, source.value);
      sum += value;
      columns[key] += value;
      largest = std::max(largest, std::abs(value));
    }
    EXPECT_NEAR(grid.rowSums()[row->query], sum, 1e-9);
  }
  for (int key = 0; key < source.end(); ++key) EXPECT_NEAR(grid.columnSums()[key], columns[key], 1e-6);
  EXPECT_FLOAT_EQ(float(grid.largest()), float(largest));
}

/// A history that grows at its end, is let go at its start, thinned in places, zooms and switches head and value at random:
/// after each change the grid equals one made from scratch.
TEST(MapGrid, FollowsAChangingHistory) {
  std::mt19937 random(11);
  MapGrid grid;
  auto rows = std::make_shared<std::vector<std::shared_ptr<const AttentionRow>>>();
  Made made;
  made.heads = 2;
  MapSource source;
  int queryLevel = 0, keyLevel = 0, next = 3;
  for (int round = 0; round < 300; ++round) {
    rows = std::make_shared<std::vector<std::shared_ptr<const AttentionRow>>>(*rows);
    const int added = 1 + int(random() % 3);
    for (int i = 0; i < added; ++i) rows->push_back(makeRow(made, next++));
    if (rows->size() > 40) rows->erase(rows->begin(), rows->begin() + 1 + random() % 5);
    if (random() % 3 == 0) std::erase_if(*rows, [&](const auto& row) { return row->query + 9 < next && random() % 4 == 0; });
    if (random() % 6 == 0) queryLevel = int(random() % 4);
    if (random() % 6 == 0) keyLevel = int(random() % 4);
    if (random() % 10 == 0) source.head = int(random() % 2);
    if (random() % 10 == 0) source.value = MapValue(random() % 4);
    if (random() % 40 == 0) {  // a new run, whose rows are other ones
      ++source.run;
      rows->clear();
      next = int(random() % 4);
      rows->push_back(makeRow(made, next++));
    }
    source.history.rows = rows;
    grid.update(source, queryLevel, keyLevel);
    expectGrid(grid, source, queryLevel, keyLevel);
    if (HasFatalFailure()) return;
  }
}

TEST(MapGrid, WeightsOfARowSumToOne) {
  MapGrid grid;
  const MapSource source = MapSource::from(*makeSnapshot({}), 1, MapValue::weight);
  grid.update(source, 0, 0);
  for (const double sum : grid.rowSums()) EXPECT_NEAR(sum, 1, 1e-6);
}

TEST(MapGrid, NothingRecordedIsNothingShown) {
  MapGrid grid;
  grid.update({}, 2, 2);
  std::vector<float> scratch;
  EXPECT_TRUE(grid.blockRow(0, scratch).empty());
  EXPECT_EQ(grid.largest(), 0);
}

}  // namespace
}  // namespace mla::ui
