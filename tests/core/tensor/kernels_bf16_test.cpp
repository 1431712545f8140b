#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/tensor/kernels.h"

namespace mla {
namespace {

using Halves = std::vector<std::uint16_t>;

float wide(std::uint16_t bits) {
  const std::uint32_t word = std::uint32_t(bits) << 16;
  float value;
  std::memcpy(&value, &word, sizeof value);
  return value;
}

Halves random_halves(std::size_t n, const Kernels& k, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(n);
  for (float& x : values) x = normal(generator);
  Halves halves(n);
  k.fp32_to_bf16(values.data(), halves.data(), int(n));
  return halves;
}

int padded(int n) { return (n + kernel_columns - 1) / kernel_columns * kernel_columns; }

class Bf16 : public testing::Test {
 protected:
  void SetUp() override {
    if (!k.bf16) GTEST_SKIP() << "this processor has no products of bf16 pairs";
  }
  /// [rows, n] as pairs [(rows + 1) / 2, padded n, 2].
  Halves paired(const Halves& in, int rows, int n) const {
    Halves out(std::size_t(rows + 1) / 2 * 2 * padded(n), 0x7fc0);  // NaN where nothing is written
    k.bf16->pair_rows(rows, n, in.data(), n, out.data(), 2 * padded(n));
    return out;
  }
  const Kernels& k = *available_kernels().back();
};

TEST_F(Bf16, PairsLieSideBySideAndAreFilledWithZeros) {
  for (const int rows : {1, 2, 5, 64})
    for (const int n : {1, 15, 16, 33, 64, 70}) {
      const Halves in = random_halves(std::size_t(rows) * n, k, 1), out = paired(in, rows, n);
      for (int i = 0; i < (rows + 1) / 2 * 2; ++i)
        for (int j = 0; j < padded(n); ++j) {
          const std::uint16_t want = i < rows && j < n ? in[std::size_t(i) * n + j] : 0;
          ASSERT_EQ(out[(std::size_t(i) / 2 * padded(n) + j) * 2 + i % 2], want) << rows << "x" << n;
        }
    }
}

TEST_F(Bf16, RowsAreRoundedToNearest) {
  std::mt19937 generator(2);
  std::normal_distribution<float> normal;
  const int rows = 5, n = 2 * kernel_columns;
  std::vector<float> in(std::size_t(rows) * n);
  for (float& x : in) x = normal(generator);
  Halves want(in.size()), out(std::size_t(rows + 1) * n);
  k.fp32_to_bf16(in.data(), want.data(), int(in.size()));
  k.bf16->round_rows(rows, n, in.data(), n, out.data(), 2 * n);
  for (int i = 0; i <= rows; ++i)
    for (int j = 0; j < n; ++j)
      ASSERT_EQ(out[(std::size_t(i) / 2 * n + j) * 2 + i % 2], i < rows ? want[std::size_t(i) * n + j] : 0);
}

TEST_F(Bf16, SumsOfRowsMatchDoublePrecision) {
  for (const int m : {1, 7, 8, 12, 16, 27})
    for (const int n : {16, 32, 48, 128})
      for (const int pairs : {1, 8, 17, 288, 600}) {
        const Halves a = random_halves(std::size_t(m) * 2 * pairs, k, 3),
                     b = random_halves(std::size_t(2) * pairs * n, k, 4);
        const Halves b_pairs = paired(b, 2 * pairs, n);
        for (const bool ahead : {false, true}) {
          std::vector<float> c(std::size_t(m) * n, 1.0f);
          k.bf16->gemm_nn(m, n, pairs, a.data(), 2 * pairs, b_pairs.data(), 2 * n, c.data(), n, ahead ? a.data() : nullptr);
          for (int i = 0; i < m; ++i)
            for (int j = 0; j < n; ++j) {
              double want = 1, size = 1;
              for (int l = 0; l < 2 * pairs; ++l) {
                const double x = double(wide(a[std::size_t(i) * 2 * pairs + l])) * wide(b[std::size_t(l) * n + j]);
                want += x;
                size += std::abs(x);
              }
              ASSERT_NEAR(c[std::size_t(i) * n + j], want, 1e-6 * size) << m << "x" << n << "x" << pairs;
            }
        }
      }
}

TEST_F(Bf16, SumsOfOuterProductsMatchDoublePrecision) {
  for (const int m : {1, 7, 8, 12, 16, 27})
    for (const int n : {16, 32, 48, 512})
      for (const int rows : {1, 2, 31, 64}) {
        const Halves a = random_halves(std::size_t(rows) * m, k, 5), b = random_halves(std::size_t(rows) * n, k, 6);
        const Halves a_pairs = paired(a, rows, m), b_pairs = paired(b, rows, n);
        const bool fresh = rows == 31;
        std::vector<float> c(std::size_t(m) * n, fresh ? std::nanf("") : 1.0f), scale;
        for (int i = 0; i < m; ++i) scale.push_back(i % 3 == 0 ? 0.5f : 1.0f);
        k.bf16->gemm_tn(m, n, (rows + 1) / 2, a_pairs.data(), 2 * padded(m), b_pairs.data(), 2 * n,
                        fresh ? nullptr : scale.data(), c.data(), n);
        for (int i = 0; i < m; ++i)
          for (int j = 0; j < n; ++j) {
            double want = fresh ? 0 : scale[i], size = 1;
            for (int l = 0; l < rows; ++l) {
              const double x = double(wide(a[std::size_t(l) * m + i])) * wide(b[std::size_t(l) * n + j]);
              want += x;
              size += std::abs(x);
            }
            ASSERT_NEAR(c[std::size_t(i) * n + j], want, 1e-6 * size) << m << "x" << n << "x" << rows;
          }
      }
}

}  // namespace
}  // namespace mla
