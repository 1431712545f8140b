#include "core/cache/row_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "core/analysis/memory.h"
#include "core/spec/presets.h"

namespace mla {
namespace {

TEST(CacheRow, HoldsTheBytesThatArePublished) {
  const ModelSpec v2 = find_preset("deepseek-v2")->spec;
  const auto latent = cache_row(v2, AttentionPath::absorbed);
  EXPECT_EQ(row_bytes(latent, CacheDtype::fp32), 4 * 576);
  EXPECT_EQ(row_bytes(latent, CacheDtype::bf16), 2 * 576);
  EXPECT_EQ(row_bytes(latent, CacheDtype::fp8), 656) << "FlashMLA";
  EXPECT_EQ(row_bytes(latent, CacheDtype::int8), 612);
  EXPECT_EQ(cache_bytes_per_token(v2, AttentionPath::reexpanded, CacheDtype::fp8, 60), 60 * 656);
  EXPECT_EQ(row_bytes(cache_row(v2, AttentionPath::expanded), CacheDtype::int8), 128 * (192 + 12 + 128 + 8));
  EXPECT_EQ(row_bytes(cache_row(v2, AttentionPath::expanded), CacheDtype::fp8), 128 * (192 + 8 + 128 + 4));
  EXPECT_TRUE(cache_row(v2, AttentionPath::uncached).empty());
  const ModelSpec llama = find_preset("llama-3-8b")->spec;
  EXPECT_EQ(row_bytes(cache_row(llama, AttentionPath::expanded), CacheDtype::int8), 2 * 8 * (128 + 8));
  const ModelSpec toy = find_preset("tutorial")->spec;
  EXPECT_EQ(row_bytes(cache_row(toy, AttentionPath::absorbed), CacheDtype::int8), toy.attention.kv_lora_rank + 2);
}

TEST(RowFormat, WhatGoesInComesOutToItsPrecisionFromAnyColumn) {
  const Kernels& kernels = *available_kernels().back();
  const std::vector<std::vector<RowSegment>> rows{
      {{512}, {64, 1, true}}, {{33}, {6, 1, true}}, {{40, 3}, {40, 3}}, {{192, 4}, {128, 4}}, {{5}}};
  std::mt19937 rng(4);
  std::normal_distribution<float> normal;
  const double steps[] = {0, 0x1p-11, 0x1p-8, 0x1p-4, 0.01};  // of the largest value of a group
  for (const auto& row : rows)
    for (const CacheDtype dtype :
         {CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8}) {
      const RowFormat format(row, dtype);
      EXPECT_EQ(format.bytes(), row_bytes(row, dtype));
      const int n = format.values();
      std::vector<float> in(std::size_t(n), 0), out(in), part;
      for (float& x : in) x = normal(rng);
      std::vector<std::byte> bytes(std::size_t(format.bytes()) + 1, std::byte(0x5a));
      int column = 0;
      for (const RowSegment& segment : row) {
        format.encode(kernels, column, in.data() + column, segment.values(), bytes.data());
        column += segment.values();
      }
      EXPECT_EQ(bytes.back(), std::byte(0x5a)) << "nothing is written behind the row";
      format.decode(kernels, bytes.data(), 0, out.data(), n);
      for (int i = 0; i < n; ++i)
        EXPECT_NEAR(out[std::size_t(i)], in[std::size_t(i)], 4 * steps[int(dtype)]) << name_of(dtype) << " " << i;
      for (int trial = 0; trial < 20; ++trial) {
        const int first = int(rng() % unsigned(n)), count = 1 + int(rng() % unsigned(n - first));
        part.assign(std::size_t(count), 0);
        format.decode(kernels, bytes.data(), first, part.data(), count);
        EXPECT_EQ(part, std::vector<float>(out.begin() + first, out.begin() + first + count)) << name_of(dtype);
      }
      if (dtype != CacheDtype::fp8 || !kernels.bf16) continue;
      std::vector<std::uint16_t> halves(std::size_t(n), 0);
      format.widen(kernels, bytes.data(), halves.data());
      kernels.bf16_to_fp32(halves.data(), in.data(), n);
      EXPECT_EQ(in, out) << "bf16 holds fp8 exactly";
    }
}

TEST(RowFormat, KnowsWhereSegmentsBegin) {
  const RowFormat format({{192, 4}, {128, 4}}, CacheDtype::int8);
  EXPECT_EQ(format.part_of(0).at, 0);
  EXPECT_EQ(format.part_of(767).at, 0);
  EXPECT_EQ(format.part_of(768).at, 4 * (192 + 12));
  EXPECT_EQ(format.bytes_from(768), 4 * (128 + 8));
  EXPECT_TRUE(format.scaled());
  EXPECT_FALSE(RowFormat({{4}}, CacheDtype::fp16).scaled());
}

}  // namespace
}  // namespace mla
