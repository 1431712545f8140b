// One step again and again: a race shows as bits that differ.
#include "tests/gpu/attention_case.h"
#include "tests/gpu/engine_pair.h"

namespace mla::gpu::testing {
namespace {

#if defined(MLA_DEVICE_SHIM)
constexpr int kRepeats = kSanitized ? 2 : 4;  // where threads always take the same turns
#else
constexpr int kRepeats = 1000;
#endif

using RepeatTest = DeviceTest;

TEST_F(RepeatTest, AttentionGivesTheSameBitsEveryTime) {
  AttentionShape prompt = expanded(2, 32, 16, 32, 140, CacheDtype::bf16);
  prompt.positions = 40;
  std::vector<AttentionShape> shapes{absorbed(16, 512, 64, 140, CacheDtype::bf16),
                                     absorbed(9, 256, 32, 140, CacheDtype::fp8), absorbed(3, 33, 5, 140, CacheDtype::fp32),
                                     grouped(8, 2, 64, 32, 140, CacheDtype::int8), prompt};
  AttentionShape tiles = absorbed(63, 512, 64, 140, CacheDtype::bf16);
  tiles.page = page_layout_for(facts_, tiles.row, tiles.dtype, tiles.layout);
  shapes.push_back(tiles);
  Stream stream;
  for (const AttentionShape& shape : shapes) {
    AttentionCase attention(stream, shape, 7);
    const std::vector<float> first = attention.run(facts_, false).out;
    for (int i = 1; i < kRepeats; ++i) ASSERT_EQ(attention.run(facts_, false).out, first) << shape.text() << ", run " << i;
  }
}

TEST_F(RepeatTest, AStepGivesTheSameBitsEveryTime) {
  std::mt19937 rng(6);
  Experiment e = random_small(Variant::mla, rng);
  e.spec.block = BlockKind::decoder;
  e.spec.intermediate_size = 40;
  e.spec.moe = random_experts(rng);
  e.context = 64;
  const auto model = load(e);
  ASSERT_TRUE(model) << model.error().message;
  const auto backend = make_cuda_backend();
  const auto executor = backend->create(e, model->weights);
  ASSERT_TRUE(executor) << executor.error().message;
  const std::vector<int> prompt(20, 3);
  const auto logits = [&] {
    (*executor)->reset();
    ForwardInput input;
    input.tokens = prompt;
    input.count = int(prompt.size());
    EXPECT_TRUE((*executor)->forward(input));
    const int token = 5;
    input.tokens = {&token, 1};
    input.count = 1;
    input.trace = kTraceAll;
    const auto step = (*executor)->forward(input);
    EXPECT_TRUE(step);
    return step ? step->logits : std::vector<float>();
  };
  const std::vector<float> first = logits();
  ASSERT_FALSE(first.empty());
  for (int i = 1; i < kRepeats; ++i) ASSERT_EQ(logits(), first) << "run " << i;
}

}  // namespace
}  // namespace mla::gpu::testing
