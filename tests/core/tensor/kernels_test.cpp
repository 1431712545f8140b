#include "core/tensor/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace mla {
namespace {

std::vector<float> random_values(std::size_t n, std::uint64_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& x : values) x = normal(generator);
  return values;
}

class EveryKernel : public testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& k = *GetParam();
};

// Sizes around register and block boundaries, and none of them.
const int kSizes[] = {1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 33, 63, 64, 65, 130};

TEST_P(EveryKernel, GemmNtMatchesDoublePrecision) {
  for (int m : {1, 2, 3, 6, 7, 13})
    for (int n : {1, 3, 4, 5, 9})
      for (int depth : {1, 5, 16, 31, 64, 511, 513, 1100}) {
        const int lda = depth + 3, ldb = depth + 1, ldc = n + 2;
        const auto a = random_values(m * lda, 1), b = random_values(n * ldb, 2);
        std::vector<float> c(m * ldc, 77.0f);
        k.gemm_nt(m, n, depth, a.data(), lda, b.data(), ldb, c.data(), ldc);
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            double want = 0, size = 0;
            for (int l = 0; l < depth; ++l) {
              want += double(a[i * lda + l]) * b[j * ldb + l];
              size += std::abs(double(a[i * lda + l]) * b[j * ldb + l]);
            }
            ASSERT_NEAR(c[i * ldc + j], want, 1e-6 * size) << m << "x" << n << "x" << depth << " at " << i << "," << j;
          }
          ASSERT_EQ(c[i * ldc + n], 77.0f) << "wrote past the row";
        }
      }
}

float same(int) { return 1.0f; }

/// product(m, n, depth, a [m, lda], lda, b, ldb, c, ldc) has to add A B to C, whose rows are scaled first, in many shapes.
template <class Product>
void expect_sums(const Product& product, float (*scale)(int row) = same) {
  for (int m : {1, 2, 5, 7, 8, 11, 12, 13, 23, 25})
    for (int n : kSizes)
      for (int depth : {1, 4, 64, 193, 1100}) {
        if (depth > 64 && (m > 13 || n > 64)) continue;
        const int lda = depth + 1, ldb = n + 2, ldc = n + 1;
        const auto a = random_values(std::size_t(m) * lda, 3), b = random_values(std::size_t(depth) * ldb, 4);
        const auto start = random_values(std::size_t(m) * ldc, 5);
        std::vector<float> c = start;
        product(m, n, depth, a, lda, b, ldb, c, ldc);
        for (int i = 0; i < m; ++i) {
          for (int j = 0; j < n; ++j) {
            double want = double(start[i * ldc + j]) * scale(i), size = 1;
            for (int l = 0; l < depth; ++l) {
              want += double(a[i * lda + l]) * b[l * ldb + j];
              size += std::abs(double(a[i * lda + l]) * b[l * ldb + j]);
            }
            ASSERT_NEAR(c[i * ldc + j], want, 1e-6 * size) << m << "x" << n << "x" << depth;
          }
          ASSERT_EQ(c[i * ldc + n], start[i * ldc + n]) << "wrote past the row";
        }
      }
}

TEST_P(EveryKernel, GemmNnAddsAndMatchesDoublePrecision) {
  for (const bool ahead : {false, true})
    expect_sums([&](int m, int n, int depth, const auto& a, int lda, const auto& b, int ldb, auto& c, int ldc) {
      k.gemm_nn(m, n, depth, a.data(), lda, b.data(), ldb, c.data(), ldc, ahead ? a.data() : nullptr);
    });
}

TEST_P(EveryKernel, GemmTnScalesAddsAndMatchesDoublePrecision) {
  const auto half_every_third = [](int row) { return row % 3 == 0 ? 0.5f : 1.0f; };
  const auto none = [](int) { return 0.0f; };
  for (const bool fresh : {false, true})
    expect_sums(
        [&](int m, int n, int depth, const auto& a, int lda, const auto& b, int ldb, auto& c, int ldc) {
          std::vector<float> turned(std::size_t(depth) * (m + 3)), scale;
          for (int i = 0; i < m; ++i) {
            for (int l = 0; l < depth; ++l) turned[std::size_t(l) * (m + 3) + i] = a[std::size_t(i) * lda + l];
            if (fresh) std::fill_n(c.data() + i * ldc, n, std::nanf(""));
            scale.push_back(half_every_third(i));
          }
          k.gemm_tn(m, n, depth, turned.data(), m + 3, b.data(), ldb, fresh ? nullptr : scale.data(), c.data(), ldc);
        },
        fresh ? +none : +half_every_third);
}

TEST_P(EveryKernel, SoftmaxSumsItsPartsAndMatchesDoublePrecision) {
  for (int n : kSizes) {
    auto a = random_values(n, 6), b = random_values(n, 7);
    for (float& x : a) x *= 20;
    std::vector<double> want(n);
    double top = -1e300, total = 0;
    for (int i = 0; i < n; ++i) top = std::max(top, double(a[i]) + b[i]);
    for (int i = 0; i < n; ++i) total += want[i] = std::exp(double(a[i]) + b[i] - top);
    std::vector<float> out(n);
    k.softmax(a.data(), b.data(), out.data(), n);
    for (int i = 0; i < n; ++i) ASSERT_NEAR(out[i], want[i] / total, 1e-5 * want[i] / total + 1e-12) << n;
    k.softmax(a.data(), nullptr, a.data(), n);  // in place, one part
    double sum = 0;
    for (float x : a) sum += x;
    ASSERT_NEAR(sum, 1, 1e-5);
  }
}

TEST_P(EveryKernel, SoftmaxOfColumnsAddsUpBlockByBlock) {
  constexpr int blocks = 3;
  for (const int columns : {kernel_columns, 3 * kernel_columns})
    for (const int rows : {1, 7, 64}) {
      const int ld = columns + 5;
      auto x = random_values(std::size_t(blocks) * rows * ld, 16);
      for (float& v : x) v *= 20;
      auto e = x;
      std::vector<float> top(columns, -3.4e38f), total(columns, 0.0f), scale(columns), scales(columns, 1.0f);
      for (int block = 0; block < blocks; ++block) {
        k.softmax_columns(e.data() + block * rows * ld, ld, rows, columns, top.data(), total.data(), scale.data());
        for (int j = 0; j < columns && block > 0; ++j) scales[j] *= scale[j];
      }
      for (int j = 0; j < columns; ++j) {
        double want_top = -1e300, want_total = 0;
        for (int i = 0; i < blocks * rows; ++i) want_top = std::max(want_top, double(x[i * ld + j]));
        for (int i = 0; i < blocks * rows; ++i) want_total += std::exp(x[i * ld + j] - want_top);
        ASSERT_EQ(top[j], float(want_top));
        ASSERT_NEAR(total[j], want_total, 2e-5 * want_total);
        for (int i = 0; i < rows; ++i) {  // what the first block gave, scaled to the last top
          const double want = std::exp(x[i * ld + j] - want_top);
          ASSERT_NEAR(e[i * ld + j] * scales[j], want, 2e-5 * want + 1e-30);
        }
      }
      ASSERT_EQ(e[columns], x[columns]) << "wrote past the columns";
    }
}

TEST_P(EveryKernel, SoftmaxKeepsNan) {
  std::vector<float> a(40, 1.0f);
  a[17] = std::numeric_limits<float>::quiet_NaN();
  k.softmax(a.data(), nullptr, a.data(), 40);
  EXPECT_TRUE(std::isnan(a[17]));
}

TEST_P(EveryKernel, NormAndSiluMatchDoublePrecision) {
  for (int n : kSizes) {
    const auto x = random_values(n, 8), w = random_values(n, 9);
    std::vector<float> out(n);
    k.rms_norm(x.data(), w.data(), 1e-6f, out.data(), n);
    double square = 0;
    for (float v : x) square += double(v) * v;
    for (int i = 0; i < n; ++i) ASSERT_NEAR(out[i], x[i] * w[i] / std::sqrt(square / n + 1e-6), 1e-5);
    auto gate = x;
    k.silu_multiply(gate.data(), w.data(), n);
    for (int i = 0; i < n; ++i) ASSERT_NEAR(gate[i], x[i] / (1 + std::exp(-double(x[i]))) * w[i], 1e-5);
  }
}

// Every 16-bit pattern survives the way to fp32 and back; what lies between two patterns goes to the nearer one.
TEST_P(EveryKernel, SixteenBitFormatsRoundTripAndRoundToNearest) {
  std::vector<std::uint16_t> patterns(65536), back(65536);
  for (int i = 0; i < 65536; ++i) patterns[i] = std::uint16_t(i);
  std::vector<float> wide(65536);
  for (bool half : {true, false}) {
    (half ? k.fp16_to_fp32 : k.bf16_to_fp32)(patterns.data(), wide.data(), 65536);
    (half ? k.fp32_to_fp16 : k.fp32_to_bf16)(wide.data(), back.data(), 65536);
    const int infinity = half ? 0x7c00 : 0x7f80;
    for (int i = 0; i < 65536; ++i) {
      if ((i & 0x7fff) > infinity) {
        ASSERT_TRUE(std::isnan(wide[i])) << i;
      } else {
        ASSERT_EQ(back[i], i);
      }
    }
    for (int i = 0; i + 1 < infinity; i += 7) {
      const float low = wide[i], high = wide[i + 1], nearer_low = low + (high - low) * 0.25f,
                  middle = low + (high - low) * 0.5f;
      std::uint16_t out[2];
      const float in[2] = {nearer_low, middle};
      (half ? k.fp32_to_fp16 : k.fp32_to_bf16)(in, out, 2);
      ASSERT_EQ(out[0], i);
      ASSERT_EQ(out[1], i % 2 == 0 ? i : i + 1) << "ties go to even";
    }
  }
}

TEST_P(EveryKernel, RandomNumbersAreTheSameBitsEverywhereAndInEveryPiece) {
  const Kernels& plain = *available_kernels().front();
  std::vector<float> whole(1001), mine(1001);
  plain.fill_uniform(42, 0, 1.0f, whole.data(), 1001);
  k.fill_uniform(42, 0, 1.0f, mine.data(), 1001);
  EXPECT_EQ(whole, mine);
  std::vector<float> piece(301);
  k.fill_uniform(42, 500, 1.0f, piece.data(), 301);
  EXPECT_TRUE(std::equal(piece.begin(), piece.end(), whole.begin() + 500));
  double mean = 0, square = 0;
  std::vector<float> many(200000);
  k.fill_uniform(7, 0, 1.0f, many.data(), 200000);
  for (float x : many) mean += x, square += double(x) * x;
  EXPECT_NEAR(mean / 200000, 0, 0.01);
  EXPECT_NEAR(square / 200000, 1.0 / 3, 0.01);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernel, testing::ValuesIn(available_kernels()),
                         [](const auto& kernels) { return std::string(kernels.param->name); });

TEST(Kernels, UnknownInstructionSetIsRefusedByName) {
  const auto found = find_kernels("mmx");
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("mmx"), std::string::npos);
  EXPECT_NE(found.error().message.find("portable"), std::string::npos);
}

}  // namespace
}  // namespace mla
