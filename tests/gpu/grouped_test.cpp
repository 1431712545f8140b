// One query a head over keys and values of several heads.
#include "gpu/ops/grouped.h"

#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

const std::vector<CacheDtype> kTypes{CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8,
                                     CacheDtype::int8};
constexpr double kTolerance = 2e-5;  // of fp32 sums in another order

using GroupedTest = DeviceTest;

void expect_near(const AttentionResult& got, const AttentionResult& want) {
  EXPECT_LE(error_of(got.out, want.out), kTolerance);
  EXPECT_LE(error_of(got.weights, want.weights), kTolerance);
  EXPECT_LE(error_of(got.nope, want.nope), kTolerance);
  EXPECT_LE(error_of(got.rope, want.rope), kTolerance);
}

/// That `kernel` is what runs, and gives what exact arithmetic and the CPU engine give, the same bits however often.
void expect_right(const DeviceFacts& device, const AttentionShape& shape, const std::string& kernel, unsigned seed) {
  SCOPED_TRACE(shape.text());
  Stream stream;
  AttentionCase attention(stream, shape, seed);
  EXPECT_EQ(attention_kernel_of(device, attention.problem()), kernel);
  LaunchLog log;
  const AttentionResult got = attention.run(device, true);
  EXPECT_EQ(log.names().front(), kernel);
  expect_near(got, attention.expected());
  expect_near(got, attention.on_processor());
  EXPECT_EQ(attention.run(device, false).out, got.out) << "without a trace";
  const AttentionResult again = attention.run(device, true);
  EXPECT_EQ(again.out, got.out);
  EXPECT_EQ(again.weights, got.weights);
}

/// Eight values at once, where each part of a row begins at a multiple of what is read.
std::string kernel_for(const AttentionShape& shape) {
  const int step = shape.dtype == CacheDtype::fp8 || shape.dtype == CacheDtype::int8 ? 8 : 16;
  const bool aligned = segment_bytes(shape.row[0], shape.dtype) % step == 0 && row_bytes(shape.row, shape.dtype) % step == 0;
  return aligned ? kGroupedDecode : kGroupedDecodeAny;
}

AttentionShape of_two(AttentionShape shape) {
  shape.batch = 2;
  return shape;
}

TEST_F(GroupedTest, HeadsInEveryNumberShareKeysOverEveryTypeOfCache) {
  unsigned seed = 1;
  for (std::size_t type = 0; type < kTypes.size(); ++type) {
    const CacheDtype dtype = kTypes[type];
    const std::vector<AttentionShape> shapes{
        grouped(1, 1, 104, 8, 1, dtype),  of_two(grouped(3, 1, 80, 16, 63, dtype)),  grouped(8, 2, 64, 32, 64, dtype),
        grouped(8, 8, 24, 8, 65, dtype),  of_two(grouped(16, 2, 64, 0, 140, dtype)), grouped(32, 1, 128, 32, 20, dtype),
        grouped(9, 1, 104, 8, 66, dtype), grouped(4, 4, 48, 48, 130, dtype),
    };
    for (std::size_t i = 0; i < shapes.size(); ++i, ++seed)
      if (has_turn(i, type, 4)) expect_right(facts_, shapes[i], kernel_for(shapes[i]), seed);
  }
}

TEST_F(GroupedTest, ExpandedMlaAndTheTutorialsBlock) {
  unsigned seed = 50;
  for (const CacheDtype dtype : kTypes) {
    for (const AttentionShape& shape : {of_two(expanded(4, 32, 16, 40, 70, dtype)), toy(8, 24, 32, 140, dtype)})
      expect_right(facts_, shape, kernel_for(shape), ++seed);
  }
  if (kSanitized) return;
  expect_right(facts_, expanded(4, 128, 64, 128, 700, CacheDtype::bf16), kGroupedDecode, ++seed);
  expect_right(facts_, grouped(8, 1, 1024, 64, 65, CacheDtype::fp16), kGroupedDecode, ++seed);
  expect_right(facts_, grouped(32, 8, 128, 128, 900, CacheDtype::int8), kGroupedDecode, ++seed);
}

TEST_F(GroupedTest, RowsOfAnyWidthOneByOne) {
  unsigned seed = 80;
  for (const CacheDtype dtype : kTypes) {
    expect_right(facts_, grouped(6, 3, 15, 5, 70, dtype), kGroupedDecodeAny, ++seed);
    expect_right(facts_, of_two(expanded(9, 11, 4, 13, 64, dtype)), kGroupedDecodeAny, ++seed);
    expect_right(facts_, grouped(9, 1, 33, 3, 65, dtype), kGroupedDecodeAny, ++seed);
    expect_right(facts_, toy(5, 3, 7, 20, dtype), kGroupedDecodeAny, ++seed);
  }
}

TEST_F(GroupedTest, RopeKeysThatHeadsShareMayHaveAnotherType) {
  // Latents of all heads, then one RoPE key, which fp8 leaves in bf16; values of one head beside them are the latents.
  AttentionShape shape = toy(4, 16, 8, 70, CacheDtype::fp8);
  shape.row = {{4 * 16}, {8, 1, true}};
  shape.layout = {.kv_heads = 4,
                  .nope = 8,
                  .nope_stride = 16,
                  .rope = 8,
                  .rope_offset = 64,
                  .value = 8,
                  .value_offset = 8,
                  .value_stride = 16};
  Stream stream;
  AttentionCase attention(stream, shape, 3);
  const AttentionResult got = attention.run(facts_, true);
  expect_near(got, attention.expected());
}

TEST_F(GroupedTest, LeavesSharedColumnsAndManyQueriesToOthers) {
  Stream stream;
  AttentionShape shape = absorbed(4, 64, 16, 20, CacheDtype::bf16);
  EXPECT_FALSE(grouped_decode_handles(facts_, AttentionCase(stream, shape, 1).problem()));
  shape = grouped(4, 2, 32, 8, 20, CacheDtype::bf16);
  EXPECT_TRUE(grouped_decode_handles(facts_, AttentionCase(stream, shape, 1).problem()));
  shape.positions = 2;
  EXPECT_FALSE(grouped_decode_handles(facts_, AttentionCase(stream, shape, 1).problem()));
  EXPECT_FALSE(
      grouped_decode_handles(facts_, AttentionCase(stream, grouped(2, 1, 1032, 8, 3, CacheDtype::fp32), 1).problem()));
}

}  // namespace
}  // namespace mla::gpu::testing
