#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "core/io/fp8.h"
#include "core/tensor/kernels.h"

namespace mla {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float float_at(const Bytes& bytes, std::size_t i) {
  float value;
  std::memcpy(&value, bytes.data() + 4 * i, sizeof value);
  return value;
}

float half_at(const Kernels& k, const Bytes& bytes, std::size_t i) {
  std::uint16_t half;
  std::memcpy(&half, bytes.data() + 2 * i, sizeof half);
  float value;
  k.fp16_to_fp32(&half, &value, 1);
  return value;
}

/// Groups of very different size, one of zeros.
std::vector<float> values_of(int n, unsigned seed) {
  std::mt19937 rng(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) x[std::size_t(i)] = normal(rng) * std::pow(10.0f, float(i / 32 % 5) - 2);
  for (int i = 32; i < std::min(n, 64); ++i) x[std::size_t(i)] = 0;
  return x;
}

class Quantised : public testing::TestWithParam<const Kernels*> {
 protected:
  void k_int8(const std::vector<float>& row, std::uint8_t* to, float* back) const {
    const int n = int(row.size());
    k.fp32_to_int8(row.data(), n, to, to + n);
    k.int8_to_fp32(to, 0, n, to + n, back);
  }
  static void expect_products(const std::vector<float>& x, const std::vector<float>& rows, const std::vector<float>& y,
                              double tolerance) {
    for (std::size_t r = 0; r < y.size(); ++r) {
      double want = 0, size = 1e-30;
      for (std::size_t i = 0; i < x.size(); ++i) {
        want += double(x[i]) * rows[r * x.size() + i];
        size += std::abs(double(x[i])) * 2 * std::abs(rows[r * x.size() + i]) + std::abs(double(x[i]));
      }
      ASSERT_NEAR(y[r], want, tolerance * size) << x.size() << " values, row " << r;
    }
  }
  const Kernels& k = *GetParam();
};

TEST_P(Quantised, Int8KeepsEveryValueToHalfAStepOfItsGroup) {
  for (const int n : {1, 5, 31, 32, 33, 64, 100, 512}) {
    const std::vector<float> x = values_of(n, unsigned(n));
    Bytes codes(std::size_t(n), 0), scales(std::size_t(n + 31) / 32 * 2);
    k.fp32_to_int8(x.data(), n, codes.data(), scales.data());
    std::vector<float> back(std::size_t(n), kNan);
    k.int8_to_fp32(codes.data(), 0, n, scales.data(), back.data());
    for (int first = 0; first < n; first += 32) {
      float most = 0;
      for (int i = first; i < std::min(n, first + 32); ++i) most = std::max(most, std::abs(x[std::size_t(i)]));
      const float scale = half_at(k, scales, std::size_t(first) / 32);
      EXPECT_NEAR(scale, most / 127, most / 127 * 0x1p-11f + 6e-8f);
      for (int i = first; i < std::min(n, first + 32); ++i) {
        EXPECT_NEAR(back[std::size_t(i)], x[std::size_t(i)], scale * 0.57f);  // the scale itself is rounded
        EXPECT_EQ(back[std::size_t(i)], (codes[std::size_t(i)] - 128) * scale);
      }
    }
  }
}

TEST_P(Quantised, Fp8RoundsToTheNearestCodeAtFlashMlasScale) {
  for (const int n : {1, 7, 127, 128, 129, 300, 512}) {
    const std::vector<float> x = values_of(n, unsigned(n) + 1);
    Bytes codes(std::size_t(n), 0), scales(std::size_t(n + 127) / 128 * 4);
    k.fp32_to_fp8(x.data(), n, codes.data(), scales.data());
    for (int first = 0; first < n; first += 128) {
      float most = 0;
      for (int i = first; i < std::min(n, first + 128); ++i) most = std::max(most, std::abs(x[std::size_t(i)]));
      const float scale = float_at(scales, std::size_t(first) / 128);
      EXPECT_EQ(scale, std::exp2(std::ceil(std::log2(std::max(most / 448, 1e-4f)))));
      for (int i = first; i < std::min(n, first + 128); ++i) {
        const float want = x[std::size_t(i)] / scale, got = from_e4m3(codes[std::size_t(i)]);
        float best = std::numeric_limits<float>::infinity();
        for (int code = 0; code < 256; ++code)
          if (const float one = from_e4m3(std::uint8_t(code)); !std::isnan(one)) best = std::min(best, std::abs(one - want));
        EXPECT_EQ(std::abs(got - want), best) << want << " became " << got;
      }
    }
  }
}

TEST_P(Quantised, EveryFp8CodeHasItsValueFromAnyPlaceInAGroup) {
  Bytes codes(259), scales(12);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = std::uint8_t(i);
  const float by_group[3] = {0.25f, 8.0f, 0x1p-13f};
  std::memcpy(scales.data(), by_group, sizeof by_group);
  for (const int skip : {0, 1, 77, 127}) {
    const int n = 259 - skip;
    std::vector<float> out(std::size_t(n), 0);
    k.fp8_to_fp32(codes.data() + skip, skip, n, scales.data(), out.data());
    for (int i = 0; i < n; ++i) {
      const float want = from_e4m3(codes[std::size_t(i + skip)]) * by_group[(i + skip) / 128];
      if (std::isnan(want)) {
        EXPECT_TRUE(std::isnan(out[std::size_t(i)]));
      } else {
        EXPECT_EQ(out[std::size_t(i)], want) << i + skip;
      }
    }
  }
}

TEST_P(Quantised, Int8IsReadFromAnyPlaceInAGroup) {
  const std::vector<float> x = values_of(160, 3);
  Bytes codes(160), scales(10);
  k.fp32_to_int8(x.data(), 160, codes.data(), scales.data());
  std::vector<float> whole(160);
  k.int8_to_fp32(codes.data(), 0, 160, scales.data(), whole.data());
  for (const int first : {1, 17, 31, 32, 90}) {
    std::vector<float> part(std::size_t(160 - first));
    k.int8_to_fp32(codes.data() + first, first % 32, 160 - first, scales.data() + first / 32 * 2, part.data());
    EXPECT_EQ(part, std::vector<float>(whole.begin() + first, whole.end()));
  }
}

TEST_P(Quantised, WhatIsNoFiniteNumberStaysVisible) {
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    std::vector<float> x(256, 1), back(256);
    x[200] = bad;
    Bytes codes(256), scales(64);
    k.fp32_to_int8(x.data(), 256, codes.data(), scales.data());
    k.int8_to_fp32(codes.data(), 0, 256, scales.data(), back.data());
    EXPECT_TRUE(std::isnan(back[200]));
    EXPECT_NEAR(back[0], 1, 1e-3);
    k.fp32_to_fp8(x.data(), 256, codes.data(), scales.data());
    k.fp8_to_fp32(codes.data(), 0, 256, scales.data(), back.data());
    EXPECT_TRUE(std::isnan(back[200]));
    EXPECT_EQ(back[0], 1);
  }
}

TEST_P(Quantised, EveryInstructionSetMakesTheSameBytes) {
  const Kernels& plain = *available_kernels().front();
  const std::vector<float> x = values_of(333, 8);
  Bytes codes(333), scales(44), plain_codes(333), plain_scales(44);
  k.fp32_to_int8(x.data(), 333, codes.data(), scales.data());
  plain.fp32_to_int8(x.data(), 333, plain_codes.data(), plain_scales.data());
  EXPECT_EQ(codes, plain_codes);
  EXPECT_EQ(scales, plain_scales);
  k.fp32_to_fp8(x.data(), 333, codes.data(), scales.data());
  plain.fp32_to_fp8(x.data(), 333, plain_codes.data(), plain_scales.data());
  EXPECT_EQ(codes, plain_codes);
  EXPECT_EQ(scales, plain_scales);
}

TEST_P(Quantised, RowsOfNarrowWeightsMatchDoublePrecision) {
  for (const int n : {1, 3, 4, 9})
    for (const int width : {1, 12, 31, 32, 33, 64, 100, 1024, 1025, 2500}) {
      const std::vector<float> x = values_of(width, 11);
      const std::ptrdiff_t ld = width + (width + 31) / 32 * 2, half = 2 * width;
      Bytes bytes(std::size_t(n) * ld), halves(std::size_t(n) * half);
      std::vector<float> whole(std::size_t(n) * width), rounded(whole), y(std::size_t(n), kNan);
      for (int r = 0; r < n; ++r) {
        const std::vector<float> row = values_of(width, 20 + unsigned(r));
        k_int8(row, bytes.data() + r * ld, whole.data() + std::ptrdiff_t(r) * width);
        auto* to = reinterpret_cast<std::uint16_t*>(halves.data() + r * half);
        k.fp32_to_bf16(row.data(), to, width);
        k.bf16_to_fp32(to, rounded.data() + std::ptrdiff_t(r) * width, width);
      }
      const std::size_t groups = (std::size_t(width) + 31) / 32;
      std::vector<std::int16_t> values(32 * groups);
      std::vector<float> scales(groups), offsets(groups);
      k.round_row(width, x.data(), values.data(), scales.data(), offsets.data());
      k.int8_rows(n, width, {values.data(), scales.data(), offsets.data()}, bytes.data(), ld, y.data());
      expect_products(x, whole, y, 4e-5);  // x is rounded to 16 bits
      k.bf16_rows(n, width, x.data(), halves.data(), half, y.data());
      expect_products(x, rounded, y, 1e-5);
    }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Quantised, testing::ValuesIn(available_kernels()),
                         [](const auto& tested) { return std::string(tested.param->name); });

class ByteProducts : public testing::Test {
 protected:
  void SetUp() override {
    if (!k.int8) GTEST_SKIP() << "this processor has no products of bytes";
  }
  const Kernels& k = *available_kernels().back();
};

/// Rows of bytes with their scales behind them, and what they stand for.
struct Rows {
  Rows(const Kernels& k, int tokens, int width, unsigned seed)
      : ld(width + (width + 31) / 32 * 2 + 3), bytes(std::size_t(tokens) * ld), values(std::size_t(tokens) * width) {
    for (int t = 0; t < tokens; ++t) {
      const std::vector<float> x = values_of(width, seed + unsigned(t));
      std::uint8_t* row = bytes.data() + std::size_t(t) * ld;
      k.fp32_to_int8(x.data(), width, row, row + width);
      k.int8_to_fp32(row, 0, width, row + width, values.data() + std::size_t(t) * width);
    }
  }
  std::size_t ld;
  Bytes bytes;
  std::vector<float> values;
};

TEST_F(ByteProducts, ScoresMatchDoublePrecisionButForTheRoundingOfTheQueries) {
  for (const int width : {4, 28, 32, 36, 64, 512})
    for (const int tokens : {1, 7, 8, 64})
      for (const int n : {16, 32, 48, 128}) {
        const Rows rows(k, tokens, width, 1);
        const std::vector<float> q = values_of(width * n, 5);
        const std::size_t groups = std::size_t(width + 31) / 32;
        std::vector<std::int8_t> packed(q.size());
        std::vector<float> q_scales(groups * n), scores(std::size_t(tokens) * n, 0.5f);
        std::vector<std::int32_t> offsets(groups * n);
        k.int8->round_queries(width, n, q.data(), n, packed.data(), q_scales.data(), offsets.data());
        k.int8->score_rows(tokens, n, width, rows.bytes.data(), std::ptrdiff_t(rows.ld), width, packed.data(),
                           q_scales.data(), offsets.data(), scores.data(), n, nullptr);
        for (int t = 0; t < tokens; ++t)
          for (int h = 0; h < n; ++h) {
            double want = 0.5, rounded = 0.5, size = 1;
            for (int i = 0; i < width; ++i) {
              const double key = rows.values[std::size_t(t) * width + i];
              const double step = q_scales[std::size_t(i / 32) * n + h];
              const double byte = packed[(std::size_t(i) / 4 * n + h) * 4 + i % 4];
              EXPECT_NEAR(byte * step, q[std::size_t(i) * n + h], step * 0.501);
              rounded += key * byte * step;
              want += key * q[std::size_t(i) * n + h];
              size += std::abs(key * q[std::size_t(i) * n + h]) + std::abs(key) * step;
            }
            ASSERT_NEAR(scores[std::size_t(t) * n + h], rounded, 1e-5 * size) << width << " " << tokens << " " << n;
            ASSERT_NEAR(scores[std::size_t(t) * n + h], want, 0.5 * size);
          }
      }
}

TEST_F(ByteProducts, RowsBecomePairsOfBf16) {
  for (const int n : {1, 16, 30, 64, 100})
    for (const int tokens : {1, 2, 9}) {
      const Rows rows(k, tokens, n, 2);
      const int columns = (n + 15) / 16 * 16;
      std::vector<std::uint16_t> out(std::size_t(tokens + 1) / 2 * 2 * columns, 0x7fc0);
      k.int8->pair_rows(tokens, n, rows.bytes.data(), std::ptrdiff_t(rows.ld), n, out.data(), 2 * columns);
      for (int t = 0; t < (tokens + 1) / 2 * 2; ++t)
        for (int i = 0; i < columns; ++i) {
          std::uint16_t want = 0;
          if (t < tokens && i < n) k.fp32_to_bf16(&rows.values[std::size_t(t) * n + i], &want, 1);
          const std::uint16_t got = out[(std::size_t(t) / 2 * columns + i) * 2 + t % 2];
          ASSERT_EQ(got & 0x7fff, want & 0x7fff) << n << " " << tokens;  // a zero may have either sign
          ASSERT_TRUE(got == want || want == 0x8000 || want == 0) << n;
        }
    }
}

TEST_F(ByteProducts, Fp8BecomesBf16Exactly) {
  Bytes codes(256), scales(8);
  for (std::size_t i = 0; i < codes.size(); ++i) codes[i] = std::uint8_t(i);
  for (const float scale : {1.0f, 0x1p-14f, 0x1p9f}) {
    std::memcpy(scales.data(), &scale, 4);
    std::memcpy(scales.data() + 4, &scale, 4);
    for (const int n : {256, 100, 3}) {
      std::vector<std::uint16_t> halves(std::size_t(n), 0);
      std::vector<float> back(std::size_t(n), 0), want(std::size_t(n), 0);
      k.bf16->widen_fp8(codes.data(), n, scales.data(), halves.data());
      k.bf16_to_fp32(halves.data(), back.data(), n);
      k.fp8_to_fp32(codes.data(), 0, n, scales.data(), want.data());
      for (int i = 0; i < n; ++i) {
        EXPECT_TRUE(back[std::size_t(i)] == want[std::size_t(i)] || (std::isnan(back[std::size_t(i)]) && (i & 127) == 127))
            << i;
      }
    }
  }
}

}  // namespace
}  // namespace mla
