#include "ui/session/attention_store.h"

#include <gtest/gtest.h>

namespace mla::ui {
namespace {

/// A row whose values say which query it is of.
std::shared_ptr<const AttentionRow> row_at(int query, int keys) {
  auto row = std::make_shared<AttentionRow>();
  row->query = query;
  row->heads = 1;
  row->keys = keys;
  row->weights.assign(keys, float(query));
  row->scores_nope.assign(keys, -float(query));
  return row;
}

AttentionRows rows_of(int from, int to, int keys = 0) {
  AttentionRows rows;
  for (int q = from; q < to; ++q) rows.push_back(row_at(q, keys > 0 ? keys : q + 1));
  return rows;
}

std::vector<int> queries_of(const AttentionHistory& history) {
  std::vector<int> queries;
  for (const auto& row : *history.rows) queries.push_back(row->query);
  return queries;
}

constexpr std::int64_t kRow = 4 * 8 + std::int64_t(sizeof(AttentionRow));  // of 4 keys with two values each

TEST(AttentionStoreTest, KeepsEverythingWithinTheBudget) {
  AttentionStore store(0, MapValue::weight, 10 * kRow);
  store.add(rows_of(0, 10, 4));
  const AttentionHistory history = store.history();
  EXPECT_EQ(queries_of(history), (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(history.stride, 1);
  EXPECT_EQ(history.whole_from, 0);
  EXPECT_EQ(history.bytes, 10 * kRow);
}

TEST(AttentionStoreTest, BeyondItEverySecondOldRowThenEveryFourthIsKept) {
  AttentionStore store(0, MapValue::weight, 10 * kRow);
  store.add(rows_of(0, 12, 4));
  AttentionHistory history = store.history();
  EXPECT_EQ(queries_of(history), (std::vector<int>{0, 2, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(history.whole_from, 4);
  EXPECT_EQ(history.stride, 2);
  store.add(rows_of(12, 18, 4));  // five thinned rows are half of the budget; a sixth makes it every fourth
  history = store.history();
  EXPECT_EQ(queries_of(history), (std::vector<int>{0, 4, 8, 11, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(history.whole_from, 11);
  EXPECT_EQ(history.stride, 4);
  EXPECT_EQ(history.bytes, 10 * kRow);
}

TEST(AttentionStoreTest, StaysWithinTheBudgetWhateverComes) {
  for (const int limit : {1, 300, 5000, 40000, 200000}) {
    AttentionStore store(0, MapValue::weight, limit);
    for (int q = 7; q < 400; ++q) {
      store.add(rows_of(q, q + 1));
      const AttentionHistory history = store.history();
      std::int64_t bytes = 0;
      for (const auto& row : *history.rows) {
        bytes += row->bytes() + std::int64_t(sizeof(AttentionRow));
        EXPECT_TRUE(row->query >= history.whole_from || row->query % history.stride == 0);
      }
      ASSERT_EQ(bytes, history.bytes);
      ASSERT_TRUE(bytes <= limit || history.rows->size() == 1);
      ASSERT_EQ(history.rows->back()->query, q);
      ASSERT_EQ(queries_of(history).back() - history.whole_from + 1,
                std::count_if(history.rows->begin(), history.rows->end(),
                              [&](const auto& row) { return row->query >= history.whole_from; }))
          << "no gap after " << history.whole_from;
    }
  }
}

TEST(AttentionStoreTest, APrefillKeepsWhatADecodeWould) {
  AttentionStore decoded(0, MapValue::weight, 20000), prefilled(0, MapValue::weight, 20000);
  for (int q = 0; q < 300; ++q) decoded.add(rows_of(q, q + 1));
  prefilled.add(rows_of(0, 256));
  prefilled.add(rows_of(256, 300));
  EXPECT_EQ(queries_of(decoded.history()), queries_of(prefilled.history()));
  EXPECT_EQ(decoded.history().stride, prefilled.history().stride);
}

TEST(AttentionStoreTest, AnotherValueIsPooledFromTheRowsThatAreLeft) {
  AttentionStore store(0, MapValue::weight, 10 * kRow);
  store.add(rows_of(0, 18, 4));
  EXPECT_EQ(store.history().thumbnails->rows(), 18);
  store.set_value(MapValue::nope);
  EXPECT_EQ(store.history().thumbnails->rows(), 10);
  EXPECT_EQ(store.history().thumbnails->queries(), 18);
  EXPECT_EQ(store.history().thumbnails->map(0)[4 * 64], -4);
  EXPECT_EQ(store.history().thumbnails->map(0)[5 * 64], PooledMaps::empty);
}

}  // namespace
}  // namespace mla::ui
