// Which kernel of the prefill runs on which device, and that each is right.
#include "gpu/ops/prefill.h"
#include "tests/gpu/attention_case.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu::testing {
namespace {

class PrefillOnDevices : public ::testing::Test {
 protected:
  ~PrefillOnDevices() override { shim::set_capability(9, 0); }

  void expect(int capability, AttentionShape shape, int positions, const PrefillPlan& want) {
    shape.positions = positions;
    SCOPED_TRACE(std::to_string(capability) + ": " + shape.text());
    shim::set_capability(capability / 10, capability % 10);
    const DeviceFacts device = *find_device();
    Stream stream;
    AttentionCase attention(stream, shape, 7);
    const PrefillPlan plan = plan_prefill(device, attention.problem());
    EXPECT_STREQ(plan.name, want.name);
    EXPECT_EQ(plan.tile, want.tile);
    EXPECT_EQ(plan.stages, want.stages);
    LaunchLog log;
    const std::vector<float> got = attention.run(device, false).out;
    EXPECT_EQ(log.names(), std::vector<std::string>{want.name});
    EXPECT_LE(error_of(got, attention.expected().out), tolerance_of(want.name, shape.dtype));
  }
};

TEST_F(PrefillOnDevices, OldOnesAndFp32HaveNoMatrixUnits) {
  for (const CacheDtype dtype : {CacheDtype::fp16, CacheDtype::bf16, CacheDtype::int8})
    expect(75, grouped(4, 2, 32, 8, 40, dtype), 40, {kPrefillTiled, -1, 1});
  expect(90, grouped(4, 2, 32, 8, 40, CacheDtype::fp32), 12, {kPrefillTiled, -1, 1});
  expect(90, grouped(4, 2, 30, 6, 40, CacheDtype::bf16), 12, {kPrefillTiled, -1, 1});
}

TEST_F(PrefillOnDevices, TilesAreAsWideAsTheValuesAndFitTheirMemory) {
  for (const CacheDtype dtype : {CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8}) {
    expect(80, expanded(2, 128, 64, 128, 70, dtype), 33, {kPrefillMatrix, 0, 2});
    expect(86, absorbed(7, 256, 32, 40, dtype), 9, {kPrefillMatrix, 1, 2});
    expect(90, absorbed(9, 320, 64, 66, dtype), 10, {kPrefillMatrix, 2, 2});
  }
  expect(80, absorbed(16, 512, 64, 70, CacheDtype::bf16), 8, {kPrefillMatrix, 2, 2});
  expect(86, absorbed(16, 512, 64, 70, CacheDtype::bf16), 8, {kPrefillMatrix, 3, 1});
  expect(120, absorbed(3, 512, 64, 40, CacheDtype::fp8), 20, {kPrefillMatrix, 3, 1});
  expect(90, absorbed(3, 576, 64, 40, CacheDtype::bf16), 8, {kPrefillTiled, -1, 1});
}

TEST_F(PrefillOnDevices, PagesOfTilesHoldTheSame) {
  AttentionShape shape = absorbed(5, 128, 64, 70, CacheDtype::bf16);
  shape.page = PageLayout::tiles;
  expect(90, shape, 20, {kPrefillMatrix, 0, 2});
}

}  // namespace
}  // namespace mla::gpu::testing
