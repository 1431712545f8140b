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

TEST(ThrottleTest, WhatComesLateDoesNotPutOffTheNext) {
  Throttle throttle(milliseconds(16));
  Clock::time_point now(milliseconds(1000));
  const Clock::time_point end = now + milliseconds(16 * 100);
  int times = 0;
  for (; now < end; now += milliseconds(7)) {  // as decode steps come
    if (!throttle.due(now)) continue;
    throttle.note(now);
    ++times;
  }
  EXPECT_EQ(times, 100);
}

TEST(ThrottleTest, APauseIsNotMadeUpFor) {
  Throttle throttle(milliseconds(16));
  const Clock::time_point start(milliseconds(100)), later(milliseconds(500));
  throttle.note(start);
  throttle.note(later);
  EXPECT_EQ(throttle.next(), later + milliseconds(16));
}

}  // namespace
}  // namespace mla::ui
