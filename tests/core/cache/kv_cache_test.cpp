#include "core/cache/kv_cache.h"

#include <gtest/gtest.h>

namespace mla {
namespace {

TEST(KvCache, HoldsWhatItSaysAndNeverMovesARow) {
  const Kernels& kernels = *available_kernels().back();
  KvCache cache(6, CacheDtype::fp32);
  const float first[6] = {1, 2, 3, 4, 5, 6};
  cache.store(kernels, cache.grow(1), 0, first, 6);
  const float* where = cache.rows(kernels, 0, 1, 0, 6, nullptr).data;
  for (int t = 1; t < 300; ++t) {
    const float row[6] = {float(t), 0, 0, 0, 0, float(-t)};
    cache.store(kernels, cache.grow(1), 0, row, 6);
  }
  EXPECT_EQ(cache.rows(kernels, 0, 1, 0, 6, nullptr).data, where);
  EXPECT_EQ(cache.tokens(), 300);
  EXPECT_EQ(cache.bytes(), 300 * 6 * 4);
  EXPECT_EQ(cache.allocated_bytes(), 5 * KvCache::kBlockTokens * 6 * 4);
  float out[2];
  cache.read(kernels, 299, 4, out, 2);
  EXPECT_EQ(out[1], -299);
  cache.clear();
  EXPECT_EQ(cache.allocated_bytes(), 0);
}

TEST(KvCache, SixteenBitRowsComeBackRounded) {
  const Kernels& kernels = *available_kernels().back();
  for (CacheDtype dtype : {CacheDtype::fp16, CacheDtype::bf16}) {
    KvCache cache(5, dtype);
    const float values[5] = {0.1f, -3.14159f, 1000.3f, 1e-3f, 0};
    cache.store(kernels, cache.grow(1), 0, values, 5);
    EXPECT_EQ(cache.bytes(), 10);
    float scratch[3];
    const auto rows = cache.rows(kernels, 0, 1, 1, 3, scratch);
    const float step = dtype == CacheDtype::fp16 ? 0x1p-11f : 0x1p-8f;  // half a unit in the last place, relative
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(rows.data[i], values[1 + i], std::abs(values[1 + i]) * step);
      EXPECT_NE(rows.data[i], values[1 + i]);
    }
  }
}

}  // namespace
}  // namespace mla
