#include "ui/controls/value_scale.h"

#include <gtest/gtest.h>

namespace mla::ui {
namespace {

TEST(ValueScaleTest, OctavesHoldBothEndsPowersAndOneBetween) {
  EXPECT_EQ(ValueScale::octaves(2, 20), ValueScale({2, 3, 4, 6, 8, 12, 16, 20}));
  EXPECT_EQ(ValueScale::none_or_octaves(8, 16), ValueScale({0, 8, 12, 16}));
}

TEST(ValueScaleTest, DivisorsAndEvery) {
  EXPECT_EQ(ValueScale::divisors(12), ValueScale({1, 2, 3, 4, 6, 12}));
  EXPECT_EQ(ValueScale::every(3, 5), ValueScale({3, 4, 5}));
}

TEST(ValueScaleTest, NearestTakesTheLowerOfTwo) {
  const ValueScale scale({2, 4, 8});
  EXPECT_EQ(scale.nearest(1), 0);
  EXPECT_EQ(scale.nearest(3), 0);
  EXPECT_EQ(scale.nearest(7), 2);
  EXPECT_EQ(scale.nearest(1000), 2);
}

}  // namespace
}  // namespace mla::ui
