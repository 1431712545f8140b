#include "core/analysis/pooled_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace mla {
namespace {

AttentionRow random_row(int query, int heads, bool rope, std::mt19937& random) {
  AttentionRow row;
  row.query = query;
  row.heads = heads;
  row.keys = query + 1;
  std::normal_distribution<float> normal(0, 2);
  for (int i = 0; i < heads * row.keys; ++i) {
    row.scores_nope.push_back(normal(random));
    if (rope) row.scores_rope.push_back(normal(random));
    row.weights.push_back(std::abs(normal(random)));
  }
  return row;
}

/// The definition: the largest value of the recorded queries and keys that a cell covers.
float brute_force(const std::vector<AttentionRow>& rows, const PooledMaps& maps, int head, int i, int j) {
  float largest = PooledMaps::empty;
  for (const AttentionRow& row : rows) {
    if (row.query / maps.tokens_per_cell() != i) continue;
    for (int key = 0; key < row.keys; ++key) {
      if (key / maps.tokens_per_cell() == j) largest = std::max(largest, cell(row, head, key, maps.value()));
    }
  }
  return largest;
}

void expect_pooled(const std::vector<AttentionRow>& rows, const PooledMaps& maps) {
  for (int head = 0; head < maps.heads(); ++head) {
    for (int i = 0; i < maps.size(); ++i) {
      for (int j = 0; j < maps.size(); ++j) {
        ASSERT_EQ(maps.map(head)[i * maps.size() + j], brute_force(rows, maps, head, i, j))
            << "head " << head << " cell " << i << ", " << j << " at " << maps.tokens_per_cell() << " tokens a cell";
      }
    }
  }
}

TEST(PooledMap, EqualsBruteForceMaxPoolingForRandomSizes) {
  std::mt19937 random(7);
  for (int round = 0; round < 40; ++round) {
    const int heads = 1 + int(random() % 3), size = 1 + int(random() % 9);
    const int first = int(random() % 20), count = 1 + int(random() % 40);
    PooledMaps maps(heads, size, MapValue(random() % 4));
    std::vector<AttentionRow> rows;
    for (int query = first; query < first + count; ++query) {
      rows.push_back(random_row(query, heads, round % 2 == 0, random));
      maps.add(rows.back());
    }
    EXPECT_EQ(maps.used(), (first + count + maps.tokens_per_cell() - 1) / maps.tokens_per_cell());
    EXPECT_LE(maps.used(), size);
    expect_pooled(rows, maps);
  }
}

TEST(PooledMap, KeepsFullResolutionWhileItFits) {
  std::mt19937 random(1);
  PooledMaps maps(1, 4, MapValue::weight);
  for (int query = 0; query < 4; ++query) maps.add(random_row(query, 1, false, random));
  EXPECT_EQ(maps.tokens_per_cell(), 1);
  maps.add(random_row(4, 1, false, random));
  EXPECT_EQ(maps.tokens_per_cell(), 2);
  EXPECT_EQ(maps.used(), 3);
}

TEST(PooledMap, ScoreIsTheSumOfItsPartsAndRopeIsZeroWithoutRope) {
  AttentionRow row;
  row.heads = 1;
  row.keys = 2;
  row.weights = {0.25f, 0.75f};
  row.scores_nope = {1, 2};
  EXPECT_EQ(cell(row, 0, 1, MapValue::rope), 0);
  EXPECT_EQ(cell(row, 0, 1, MapValue::score), 2);
  row.scores_rope = {-4, 8};
  EXPECT_EQ(cell(row, 0, 0, MapValue::score), -3);
  EXPECT_EQ(cell(row, 0, 1, MapValue::weight), 0.75f);
  EXPECT_EQ(name_of(MapValue::nope), "nope");
}

}  // namespace
}  // namespace mla
