#include "core/io/fp8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace mla {
namespace {

/// The code's value by the definition of the format, in double precision.
double by_definition(int code) {
  const int sign = code >> 7, exponent = (code >> 3) & 15, fraction = code & 7;
  if (exponent == 15 && fraction == 7) return NAN;
  const double magnitude =
      exponent == 0 ? fraction / 8.0 * std::pow(2, -6) : (1 + fraction / 8.0) * std::pow(2, exponent - 7);
  return sign ? -magnitude : magnitude;
}

TEST(Fp8, EveryCodeIsWhatItsBitsSay) {
  for (int code = 0; code < 256; ++code) {
    const double want = by_definition(code);
    const float got = from_e4m3(std::uint8_t(code));
    EXPECT_EQ(std::isnan(got), std::isnan(want)) << code;
    if (std::isnan(want)) continue;
    EXPECT_EQ(double(got), want) << code;
    EXPECT_EQ(std::signbit(got), code >= 128) << code;
  }
  EXPECT_EQ(from_e4m3(0x7e), 448);
  EXPECT_EQ(from_e4m3(0x01), std::ldexp(1.0f, -9));
}

TEST(Fp8, ScalesBelongToTheirBlocksOfColumns) {
  std::vector<std::byte> codes;
  for (int code = 0; code < 256; ++code) codes.push_back(std::byte(code));
  const std::vector<float> scales{0.1f, 3.0f, -1e-3f, 7e30f};  // the last block is cut short
  std::vector<float> out(256);
  dequantise_e4m3(codes, scales, 70, out);
  for (std::size_t j = 0; j < 256; ++j) {
    const float want = from_e4m3(std::uint8_t(j)) * scales[j / 70];
    if (std::isnan(want)) {
      EXPECT_TRUE(std::isnan(out[j])) << j;
    } else {
      EXPECT_EQ(out[j], want) << j;
    }
  }
}

}  // namespace
}  // namespace mla
