#include "core/spec/format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mla {
namespace {

TEST(Format, Bytes) {
  EXPECT_EQ(format_bytes(0), "0 B");
  EXPECT_EQ(format_bytes(1023), "1023 B");
  EXPECT_EQ(format_bytes(1024), "1.00 KiB");
  EXPECT_EQ(format_bytes(24 * 1024), "24.0 KiB");
  EXPECT_EQ(format_bytes(69120), "67.5 KiB");
  EXPECT_EQ(format_bytes(512 * 1024 + 307), "512.3 KiB");
  EXPECT_EQ(format_bytes(1024 * 1024 - 1), "1.00 MiB");
  EXPECT_EQ(format_bytes(3ll << 30), "3.00 GiB");
  EXPECT_EQ(format_bytes(std::numeric_limits<std::int64_t>::max()), "8.00 EiB");
}

TEST(Format, Times) {
  EXPECT_EQ(format_ms(0), "0 ms");
  EXPECT_EQ(format_ms(0.0000123), "0.012 µs");
  EXPECT_EQ(format_ms(0.0452), "45.2 µs");
  EXPECT_EQ(format_ms(0.314), "0.31 ms");
  EXPECT_EQ(format_ms(12.34), "12.3 ms");
  EXPECT_EQ(format_ms(234.5), "234 ms");
  EXPECT_EQ(format_ms(1250), "1.25 s");
  EXPECT_EQ(format_ms(std::nan("")), "–");
}

TEST(Format, Counts) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234), "1,234");
  EXPECT_EQ(format_count(4194304), "4,194,304");
  EXPECT_EQ(format_count(-123456), "-123,456");
}

TEST(Format, Ratios) {
  EXPECT_EQ(format_ratio(2048 / 576.0), "3.6x");
  EXPECT_EQ(format_ratio(32768 / 576.0), "56.9x");
  EXPECT_EQ(format_ratio(213.4), "213x");
  EXPECT_EQ(format_ratio(0.5), "0.50x");
  EXPECT_EQ(format_ratio(0.0312), "0.031x");
  EXPECT_EQ(format_ratio(1.0 / 0.0), "–");
}

TEST(Format, DecimalPrefixes) {
  EXPECT_EQ(format_si(34.8e9, "B/s"), "34.8 GB/s");
  EXPECT_EQ(format_si(232e9, "FLOP/s"), "232 GFLOP/s");
  EXPECT_EQ(format_si(12, "B"), "12 B");
  EXPECT_EQ(format_si(999.7, "B"), "1.00 kB");
  EXPECT_EQ(format_si(0.25, "B"), "0.25 B");
}

}  // namespace
}  // namespace mla
