// The kernels' number formats against the CPU engine's, value by value.
#include "gpu/kernels/numbers.cuh"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "core/io/fp8.h"

namespace mla::gpu {
namespace {

TEST(Numbers, EveryFp8ValueGoesThereAndBack) {
  for (int i = 0; i < 256; ++i) {
    const float value = float_of_fp8(std::uint8_t(i));
    if ((i & 0x7f) == 0x7f) {
      EXPECT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(float_of_fp8(fp8_of(value))));
    } else {
      EXPECT_EQ(fp8_of(value), i);
    }
  }
}

TEST(Numbers, EveryFp16AndBf16ValueGoesThereAndBack) {
  for (int i = 0; i < 65536; ++i) {
    const float half = float_of_fp16(std::uint16_t(i)), brain = float_of_bf16(std::uint16_t(i));
    if (std::isnan(half)) {
      EXPECT_TRUE(std::isnan(float_of_fp16(fp16_of(half))));
    } else {
      EXPECT_EQ(fp16_of(half), i);
    }
    if (std::isnan(brain)) {
      EXPECT_TRUE(std::isnan(float_of_bf16(bf16_of(brain))));
    } else {
      EXPECT_EQ(bf16_of(brain), i);
    }
  }
}

/// The nearest of a format's values, the even one of two, by looking at all of them.
template <class Of>
std::uint32_t nearest(float x, int values, std::uint32_t sign, const Of& value_of) {
  std::uint32_t best = 0;
  for (std::uint32_t i = 0; i < std::uint32_t(values); ++i) {
    const double here = std::abs(double(value_of(i)) - std::abs(double(x))),
                 so_far = std::abs(double(value_of(best)) - std::abs(double(x)));
    if (here < so_far || (here == so_far && i % 2 == 0)) best = i;
  }
  return std::signbit(x) ? best | sign : best;
}

TEST(Numbers, RoundToTheNearest) {
  for (int i = -60; i < 60; ++i)
    for (const float part : {1.0f, 1.03125f, 1.0625f, 1.09375f, 1.4375f, 1.96875f}) {
      const float x = (i % 2 ? -1 : 1) * std::ldexp(part, i / 4);
      if (std::abs(x) > 448) continue;
      EXPECT_EQ(fp8_of(x), nearest(x, 0x7f, 0x80, [](std::uint32_t c) { return float_of_fp8(std::uint8_t(c)); })) << x;
    }
  EXPECT_EQ(fp8_of(1e9f), 0x7e);
  EXPECT_EQ(fp8_of(-1e9f), 0xfe);
  for (const float x : {1.00048828125f, 1.0014648f, 6.1e-5f, 5.97e-8f, 3e-8f, 2.9e-8f, 65519.0f, -0.333f})
    EXPECT_EQ(fp16_of(x), nearest(x, 0x7c00, 0x8000, [](std::uint32_t c) { return float_of_fp16(std::uint16_t(c)); })) << x;
  EXPECT_EQ(fp16_of(65520.0f), 0x7c00);
  EXPECT_EQ(bf16_of(1.00390625f), 0x3f80);
  EXPECT_EQ(bf16_of(1.01171875f), 0x3f82);
}

}  // namespace
}  // namespace mla::gpu
