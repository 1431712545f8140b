// Absorbed MLA of (576, 512) in bf16 on compute capability 9.0.
#include <algorithm>
#include <cmath>

#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

constexpr const char* kKernel = "latent_decode_wgmma";
/// Half a unit of bf16 for each of the two factors of a product.
constexpr double kTolerance = 2 * 0x1p-8;

/// Of scores that are about 1.5, some of them near 0.
double largest_difference(const std::vector<float>& got, const std::vector<float>& want) {
  double worst = got.size() == want.size() ? 0 : 1e300;
  for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i)
    worst = std::isnan(got[i]) ? 1e300 : std::max(worst, std::abs(double(got[i]) - want[i]));
  return worst;
}

class HopperTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    if (!IsSkipped() && facts_.capability() != 90) GTEST_SKIP() << facts_.name << " is not of compute capability 9.0";
  }
};

AttentionShape in_tiles(int heads, int tokens) {
  AttentionShape shape = absorbed(heads, 512, 64, tokens, CacheDtype::bf16);
  shape.page = PageLayout::tiles;
  shape.batch = 2;
  return shape;
}

void expect_equal(const AttentionShape& shape, DeviceFacts device, int multiprocessors) {
  SCOPED_TRACE(shape.text() + " on " + std::to_string(multiprocessors));
  device.multiprocessors = multiprocessors;  // decides about the splits
  Stream stream;
  AttentionCase attention(stream, shape, unsigned(shape.heads * 1000 + shape.tokens));
  EXPECT_STREQ(attention_kernel_of(device, attention.problem()), kKernel);
  LaunchLog log;
  const AttentionResult got = attention.run(device, true), want = attention.expected();
  EXPECT_EQ(log.names().front(), kKernel);
  EXPECT_LE(error_of(got.out, want.out), kTolerance);
  EXPECT_LE(error_of(got.weights, want.weights), kTolerance);
  EXPECT_LE(largest_difference(got.nope, want.nope), 1.5 * kTolerance);
  EXPECT_LE(largest_difference(got.rope, want.rope), 1.5 * kTolerance);
  EXPECT_EQ(attention.run(device, false).out, got.out) << "without a trace";
  EXPECT_EQ(attention.run(device, true).out, got.out) << "again";
}

constexpr int kHeads[] = {1, 3, 9, 63, 64, 126, 128};
const std::vector<int> kTokens = kSanitized ? std::vector{1, 140} : std::vector{1, 20, 64, 65, 140};

TEST_F(HopperTest, EqualsExactArithmetic) {
  for (const int heads : kHeads)
    for (const int tokens : kTokens) expect_equal(in_tiles(heads, tokens), facts_, 1);
}

TEST_F(HopperTest, SplitsAreMerged) {
  for (const int heads : kHeads)
    for (const int tokens : kTokens) {
      AttentionShape shape = in_tiles(heads, tokens);
      shape.batch = 1;
      expect_equal(shape, facts_, 16);
    }
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
TEST_F(HopperTest, ALongHistory) {
  AttentionShape shape = in_tiles(16, 4096);
  shape.batch = 1;
  expect_equal(shape, facts_, 24);
}

TEST_F(HopperTest, QueriesSeeTheTokensUpToTheirs) {
  AttentionShape shape = in_tiles(3, 130);
  shape.positions = 4;
  expect_equal(shape, facts_, 1);
  expect_equal(shape, facts_, 24);
}
#endif

TEST_F(HopperTest, SplitsWithoutTokensLeaveNothing) {
  for (const int tokens : {20, 140}) {
    AttentionShape shape = in_tiles(3, tokens);
    shape.batch = 1;
    Stream stream;
    AttentionCase attention(stream, shape, unsigned(tokens));
    DeviceFacts device = facts_;
    device.multiprocessors = 6;
    DeviceAttention a = attention.problem();
    a.most_keys = 4096;  // a context that has hardly begun
    Array<float> out(3 * 512);
    Array<std::byte> workspace(std::size_t(attention_workspace(device, a)));
    a.out = out.data();
    attend(stream, device, a, workspace.data());
    EXPECT_LE(error_of(to_host(stream, out), attention.expected().out), kTolerance) << tokens;
  }
}

TEST_F(HopperTest, OnlyWhatItIsMadeFor) {
  Stream stream;
  const auto kernel_of = [&](const AttentionShape& shape, int major, int minor) {
    DeviceFacts device = facts_;
    device.major = major;
    device.minor = minor;
    return std::string(attention_kernel_of(device, AttentionCase(stream, shape, 1).problem()));
  };
  AttentionShape shape = in_tiles(16, 20);
  EXPECT_EQ(kernel_of(shape, 9, 0), kKernel);
  EXPECT_NE(kernel_of(shape, 8, 0), kKernel);
  EXPECT_NE(kernel_of(shape, 10, 0), kKernel);
  shape.page = PageLayout::rows;
  EXPECT_NE(kernel_of(shape, 9, 0), kKernel);
  shape = in_tiles(16, 20);
  shape.dtype = CacheDtype::fp16;
  EXPECT_NE(kernel_of(shape, 9, 0), kKernel);
  AttentionShape smaller = absorbed(16, 256, 64, 20, CacheDtype::bf16);
  smaller.page = PageLayout::tiles;
  EXPECT_NE(kernel_of(smaller, 9, 0), kKernel);
}

TEST_F(HopperTest, PagesAreTilesWhereItIsUsed) {
  const AttentionShape fits = in_tiles(16, 1), smaller = absorbed(16, 256, 64, 1, CacheDtype::bf16);
  EXPECT_EQ(page_layout_for(facts_, fits.row, CacheDtype::bf16, fits.layout), PageLayout::tiles);
  EXPECT_EQ(page_layout_for(facts_, fits.row, CacheDtype::fp8, fits.layout), PageLayout::rows);
  EXPECT_EQ(page_layout_for(facts_, smaller.row, CacheDtype::bf16, smaller.layout), PageLayout::rows);
}

}  // namespace
}  // namespace mla::gpu::testing
