#include <algorithm>

#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

using AttentionTest = DeviceTest;

constexpr CacheDtype kTypes[] = {CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8};

void expect_exact(const DeviceFacts& device, const std::vector<AttentionShape>& shapes) {
  Stream stream;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    AttentionCase attention(stream, shapes[i], unsigned(100 * i));
    expect_attention(attention, device, attention.expected());
  }
}

std::vector<AttentionShape> odd_shapes(CacheDtype dtype) {
  std::vector<AttentionShape> shapes{
      absorbed(1, 1, 0, 1, dtype),      absorbed(3, 7, 3, 2, dtype),         absorbed(9, 33, 6, 65, dtype),
      absorbed(20, 130, 5, 20, dtype),  grouped(8, 8, 16, 16, 20, dtype),    grouped(12, 3, 18, 6, 77, dtype),
      grouped(5, 1, 24, 0, 129, dtype), expanded(3, 12, 4, 10, 70, dtype),   expanded(2, 33, 7, 129, 9, dtype),
      toy(8, 4, 32, 140, dtype),        grouped(2, 1, 1100, 100, 20, dtype),
  };
  shapes[3].batch = shapes[5].batch = 2;
  return shapes;
}

TEST_F(AttentionTest, HeadsWithAndWithoutOthersBesideThem) {
  expect_exact(facts_, {absorbed(3, 7, 3, 66, CacheDtype::fp32), grouped(1, 1, 6, 2, 20, CacheDtype::int8)});
}

TEST_F(AttentionTest, AnyShapeOverEveryTypeOfCache) {
  for (const CacheDtype dtype : kTypes) expect_exact(facts_, odd_shapes(dtype));
}

TEST_F(AttentionTest, EqualsTheProcessors) {
  Stream stream;
  for (const CacheDtype dtype : kTypes)
    for (const AttentionShape& shape : odd_shapes(dtype)) {
      AttentionCase attention(stream, shape, 7);
      expect_attention(attention, facts_, attention.on_processor());
    }
}

TEST_F(AttentionTest, QueriesSeeTheTokensUpToTheirs) {
  std::vector<AttentionShape> shapes{absorbed(4, 24, 8, 75, CacheDtype::fp32), grouped(4, 2, 16, 16, 20, CacheDtype::bf16),
                                     expanded(2, 6, 2, 8, 66, CacheDtype::int8)};
  shapes[0].positions = 11;
  shapes[1].positions = 20;
  shapes[2].positions = 3;
  shapes[0].batch = 2;
  expect_exact(facts_, shapes);
}

TEST_F(AttentionTest, PagesOfTilesHoldTheSame) {
  AttentionShape shape = absorbed(5, 128, 64, 70, CacheDtype::fp16);
  shape.page = PageLayout::tiles;
  expect_exact(facts_, {shape});
}

TEST_F(AttentionTest, TheBitsAreTheSameAgainAndWithoutATrace) {
  Stream stream;
  for (const CacheDtype dtype : kTypes)
    for (const AttentionShape& shape : {absorbed(20, 64, 16, 300, dtype), grouped(4, 2, 20, 4, 300, dtype)}) {
      AttentionCase attention(stream, shape, 4);
      const AttentionResult traced = attention.run(facts_, true);
      EXPECT_EQ(attention.run(facts_, false).out, traced.out) << shape.text();
      const AttentionResult again = attention.run(facts_, true);
      EXPECT_EQ(again.out, traced.out) << shape.text();
      EXPECT_EQ(again.weights, traced.weights) << shape.text();
    }
}

TEST_F(AttentionTest, TheTraceKeepsWhatWasAskedFor) {
  Stream stream;
  AttentionCase attention(stream, absorbed(3, 16, 4, 30, CacheDtype::fp32), 5);
  const AttentionResult whole = attention.run(facts_, true);
  DeviceAttention a = attention.problem();
  Array<float> out(std::size_t(3) * 16), weights(std::size_t(3) * 100);
  Array<std::byte> workspace(std::size_t(attention_workspace(facts_, a)));
  a.out = out.data();
  a.trace = {weights.data(), nullptr, nullptr, 100};
  attend(stream, facts_, a, workspace.data());
  const std::vector<float> got = to_host(stream, weights);
  for (int h = 0; h < 3; ++h)
    EXPECT_TRUE(std::equal(got.begin() + h * 100, got.begin() + h * 100 + 30, whole.weights.begin() + h * 30));
}

}  // namespace
}  // namespace mla::gpu::testing
