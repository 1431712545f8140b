#include "core/tensor/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>

namespace mla {
namespace {

TEST(ThreadPool, RunsEveryItemOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    for (int items : {0, 1, 2, 7, 100}) {
      std::vector<std::atomic<int>> seen(items);
      pool.run(items, [&](int i, int t) {
        ASSERT_LT(t, threads);
        seen[i].fetch_add(1);
      });
      for (auto& count : seen) EXPECT_EQ(count.load(), 1);
    }
  }
}

TEST(ThreadPool, ManyShortRoundsLoseNothing) {
  ThreadPool pool(4);
  std::atomic<long> total{0};
  for (int round = 0; round < 3000; ++round) pool.run(5, [&](int i, int) { total.fetch_add(i); });
  EXPECT_EQ(total.load(), 3000 * 10);
}

TEST(ThreadPool, WakesAfterSleeping) {
  ThreadPool pool(2);
  std::atomic<int> count{0};
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    pool.run(2, [&](int, int) { count.fetch_add(1); });
  }
  EXPECT_EQ(count.load(), 10);
}

}  // namespace
}  // namespace mla
