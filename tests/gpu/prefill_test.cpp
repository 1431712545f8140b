// Many queries at a time that nobody looks at.
#include "gpu/ops/prefill.h"

#include "tests/gpu/attention_case.h"

namespace mla::gpu::testing {
namespace {

const std::vector<CacheDtype> kTypes{CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8,
                                     CacheDtype::int8};

using PrefillTest = DeviceTest;

AttentionShape last(int positions, AttentionShape shape, int batch = 1) {
  shape.positions = positions;
  shape.batch = batch;
  return shape;
}

void expect_right(const DeviceFacts& device, const AttentionShape& shape, unsigned seed) {
  SCOPED_TRACE(shape.text());
  Stream stream;
  AttentionCase attention(stream, shape, seed);
  const std::string kernel = plan_prefill(device, attention.problem()).name;
  EXPECT_EQ(attention_kernel_of(device, attention.problem()), kernel);
  const double tolerance = tolerance_of(kernel, shape.dtype);
  LaunchLog log;
  const std::vector<float> got = attention.run(device, false).out;
  EXPECT_EQ(log.names(), std::vector<std::string>{kernel});
  EXPECT_LE(error_of(got, attention.expected().out), tolerance) << kernel;
  EXPECT_LE(error_of(got, attention.on_processor().out), tolerance) << kernel;
  EXPECT_EQ(attention.run(device, false).out, got) << "again";
  EXPECT_LE(error_of(attention.run(device, true).out, got), 2 * tolerance_of(kPrefillMatrix, shape.dtype))
      << "by another kernel, with a trace";
}

/// The shapes of every type of cache.
template <class Shapes>
void expect_all_right(const DeviceFacts& device, unsigned seed, const Shapes& shapes_of) {
  for (std::size_t type = 0; type < kTypes.size(); ++type) {
    const std::vector<AttentionShape> shapes = shapes_of(kTypes[type]);
    for (std::size_t i = 0; i < shapes.size(); ++i, ++seed)
      if (has_turn(i, type, shapes.size())) expect_right(device, shapes[i], seed);
  }
}

TEST_F(PrefillTest, WholePromptsAndTheEndsOfThemOverEveryTypeOfCache) {
  expect_all_right(facts_, 1, [](CacheDtype dtype) {
    return std::vector{last(20, absorbed(9, 32, 16, 20, dtype)), last(9, absorbed(3, 64, 8, 140, dtype), 2),
                       last(65, grouped(4, 2, 24, 8, 65, dtype), 2), last(66, expanded(2, 16, 16, 40, 130, dtype)),
                       last(30, toy(3, 16, 32, 64, dtype))};
  });
}

TEST_F(PrefillTest, ManyHeadsAndLongPrompts) {
  unsigned seed = 30;
  expect_right(facts_, last(16, absorbed(32, 64, 16, 150, CacheDtype::bf16)), ++seed);
  if (kSanitized) return;
  expect_right(facts_, last(140, grouped(8, 8, 80, 80, 140, CacheDtype::fp16)), ++seed);
  expect_right(facts_, last(130, expanded(4, 128, 64, 128, 300, CacheDtype::bf16)), ++seed);
  expect_right(facts_, last(40, absorbed(8, 512, 64, 400, CacheDtype::bf16)), ++seed);
  expect_right(facts_, last(60, grouped(32, 1, 128, 64, 300, CacheDtype::fp8)), ++seed);
  expect_right(facts_, last(64, expanded(3, 128, 64, 128, 129, CacheDtype::fp32)), ++seed);
}

/// A prompt in chunks gives what it gives at once: each chunk's queries see those before.
TEST_F(PrefillTest, ChunksMakeUpThePrompt) {
  for (const CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16}) {
    Stream stream;
    AttentionCase attention(stream, last(70, expanded(3, 16, 8, 24, 70, dtype), 2), 9);
    const std::vector<float> whole = attention.run(facts_, false).out;
    const int nope = 2 * 3 * 16, rope = 2 * 3 * 8, value = 2 * 3 * 24;  // of a position
    Array<float> out(std::size_t(70 * value));
    for (const auto& [from, to] : {std::pair{0, 33}, {33, 41}, {41, 70}}) {
      const auto first = to_device(stream, std::vector<int>{from});
      DeviceAttention a = attention.problem();
      a.first = first.data();
      a.positions = to - from;
      a.q_nope += from * nope;
      a.q_rope += from * rope;
      a.out = out.data() + from * value;
      Array<std::byte> workspace(std::size_t(attention_workspace(facts_, a)));
      attend(stream, facts_, a, workspace.data());
      stream.synchronize();
    }
    EXPECT_LE(error_of(to_host(stream, out), whole), 1e-6) << "other rows of a tile, the same order of keys";
  }
}

TEST_F(PrefillTest, LeavesFewQueriesAndTracesToOthers) {
  Stream stream;
  AttentionCase attention(stream, last(8, grouped(4, 2, 32, 8, 20, CacheDtype::bf16)), 1);
  DeviceAttention a = attention.problem();
  EXPECT_TRUE(prefill_handles(a));
  float somewhere;
  for (float** part : {&a.trace.weights, &a.trace.nope, &a.trace.rope}) {
    *part = &somewhere;
    EXPECT_FALSE(prefill_handles(a));
    *part = nullptr;
  }
  a.positions = 7;
  EXPECT_FALSE(prefill_handles(a));
}

TEST_F(PrefillTest, RowsOfAnyWidth) {
  expect_all_right(facts_, 50, [](CacheDtype dtype) {
    return std::vector{last(11, absorbed(5, 33, 6, 70, dtype)), last(21, grouped(6, 3, 13, 5, 21, dtype), 2),
                       last(8, expanded(2, 7, 4, 131, 66, dtype))};
  });
}

}  // namespace
}  // namespace mla::gpu::testing
