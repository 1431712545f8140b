#include "ui/session/throttle.h"

#include <gtest/gtest.h>

namespace mla::ui {
namespace {

using std::chrono::milliseconds;

TEST(ThrottleTest, TheFirstTimeIsAlwaysDue) { EXPECT_TRUE(Throttle(kFrame).due(Clock::time_point(milliseconds(1)))); }

TEST(ThrottleTest, IsDueAgainAfterTheIntervalAndNotBefore) {
  Throttle throttle(milliseconds(16));
  const Clock::time_point start(milliseconds(100));
  throttle.note(start);
  EXPECT_FALSE(throttle.due(start));
  EXPECT_FALSE(throttle.due(start + milliseconds(15)));
  EXPECT_TRUE(throttle.due(start + milliseconds(16)));
  EXPECT_EQ(throttle.next(), start + milliseconds(16));
}

}  // namespace
}  // namespace mla::ui
