#include "ui/charts/ticks.h"

#include <gtest/gtest.h>

namespace mla::ui {
namespace {

QStringList labels(const Ticks& ticks) {
  QStringList out;
  for (const Tick& tick : ticks.ticks) out << tick.label;
  return out;
}

TEST(Ticks, DecimalStepsAreRound) {
  EXPECT_EQ(labels(ticksFor({0, 1}, Unit::ms, Scale::linear, 5)), (QStringList{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(ticksFor({0, 4100}, Unit::count, Scale::linear, 5)),
            (QStringList{"0", "1,000", "2,000", "3,000", "4,000"}));
  EXPECT_EQ(ticksFor({0, 1}, Unit::ms, Scale::linear, 5).unit, "ms");
}

TEST(Ticks, CountsAreWhole) {
  EXPECT_EQ(labels(ticksFor({1, 3}, Unit::count, Scale::linear, 10)), (QStringList{"1", "2", "3"}));
}

TEST(Ticks, BytesGoInPowersOfTwo) {
  const Ticks ticks = ticksFor({0, 200 * 1024.0}, Unit::bytes, Scale::linear, 4);
  EXPECT_EQ(ticks.unit, "KiB");
  EXPECT_EQ(labels(ticks), (QStringList{"0", "64", "128", "192"}));
  EXPECT_EQ(ticks.ticks[1].value, 65536);
  EXPECT_EQ(labels(ticksFor({0, 1.2 * 1024 * 1024}, Unit::bytes, Scale::linear, 5)),
            (QStringList{"0", "0.25", "0.50", "0.75", "1.00"}));
}

TEST(Ticks, OneIsNotEnough) {
  EXPECT_EQ(labels(ticksFor({0, 4.2}, Unit::ms, Scale::linear, 2)), (QStringList{"0", "2", "4"}));
  EXPECT_GE(ticksFor({900, 9000}, Unit::number, Scale::log, 2).ticks.size(), 2u);
}

TEST(Ticks, LogAxesShowWholePowers) {
  EXPECT_EQ(labels(ticksFor({512, 5 << 20}, Unit::bytes, Scale::log, 5)),
            (QStringList{"512\u00a0B", "4\u00a0KiB", "32\u00a0KiB", "256\u00a0KiB", "2\u00a0MiB"}));
  EXPECT_EQ(labels(ticksFor({1, 96}, Unit::count, Scale::log, 7)), (QStringList{"1", "2", "4", "8", "16", "32", "64"}));
  EXPECT_EQ(labels(ticksFor({0.01, 1000}, Unit::number, Scale::log, 5)),
            (QStringList{"0.01", "0.1", "1", "10", "100", "1,000"}));
  EXPECT_EQ(labels(ticksFor({1, 100}, Unit::number, Scale::log, 8)), (QStringList{"1", "2", "5", "10", "20", "50", "100"}));
}

TEST(Ticks, StayInTheRangeAndAreFew) {
  for (const Unit unit : {Unit::number, Unit::count, Unit::bytes, Unit::ms})
    for (const Scale scale : {Scale::linear, Scale::log})
      for (const double max : {1.5, 37.0, 900.0, 1e6, 7e11}) {
        const Ticks ticks = ticksFor({1, max}, unit, scale, 6);
        EXPECT_LE(ticks.ticks.size(), 7u) << int(unit) << " " << max;
        for (const Tick& tick : ticks.ticks) EXPECT_TRUE(tick.value >= 1 - 1e-8 * max && tick.value <= max) << tick.value;
      }
  EXPECT_TRUE(ticksFor({3, 3}, Unit::number, Scale::linear, 5).ticks.empty());
}

TEST(ExactText, SaysEverything) {
  EXPECT_EQ(exactText(24576, Unit::bytes), "24.0 KiB (24,576 bytes)");
  EXPECT_EQ(exactText(640, Unit::bytes), "640 bytes");
  EXPECT_EQ(exactText(0.31415926, Unit::ms), "0.3142 ms");
  EXPECT_EQ(exactText(1234, Unit::count), "1,234");
}

TEST(NiceCeil, IsRoundAndNotBelow) {
  for (const double value : {0.03, 1.0, 1.2, 47.0, 99.0, 4096.0}) {
    EXPECT_GE(niceCeil(value), value);
    EXPECT_LE(niceCeil(value), 1.7 * value);
  }
  EXPECT_DOUBLE_EQ(niceCeil(47), 50);
  EXPECT_DOUBLE_EQ(niceCeil(-1), 1);
}

}  // namespace
}  // namespace mla::ui
