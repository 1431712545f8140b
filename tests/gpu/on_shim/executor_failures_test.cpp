// What a failing device does to a run: one message, all memory freed, and the next run as if nothing had been.
#include "gpu/engine/cuda_executor.h"
#include "tests/gpu/engine_pair.h"
#include "tests/gpu/shim/shim.h"

namespace mla::gpu::testing {
namespace {

constexpr std::int64_t kPlenty = std::int64_t(4) << 30;

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kStride = 29;  // of the launches that fail
#else
constexpr int kStride = 3;
#endif

class ExecutorFailures : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    SKIP_UNDER_THREAD_SANITIZER();
    experiment_ = default_experiment();
    AttentionSpec& a = experiment_.spec.attention;
    a.hidden_size = 16;
    a.num_attention_heads = a.num_key_value_heads = 2;
    a.qk_nope_head_dim = a.v_head_dim = 4;
    a.qk_rope_head_dim = 2;
    a.kv_lora_rank = 8;
    experiment_.spec.intermediate_size = 24;
    experiment_.spec.vocab_size = 20;
    experiment_.spec.moe = MoeSpec{.n_routed_experts = 4, .num_experts_per_tok = 2, .moe_intermediate_size = 8};
    experiment_.spec.moe->first_k_dense_replace = 1;
    experiment_.context = 200;
    const auto model = load(experiment_);
    ASSERT_TRUE(model) << model.error().message;
    weights_ = model->weights;
  }
  void TearDown() override {
    shim::set_total_memory(kPlenty);
    shim::fail_launch_after(-1);
    shim::set_absent("");
    shim::set_capability(9, 0);
    EXPECT_EQ(shim::allocated_memory(), 0);
  }

  /// A prompt, then steps one by one, the last of them from a captured graph; traced.
  static Result<std::vector<float>> decode(CudaExecutor& executor) {
    std::vector<float> logits;
    executor.reset();
    for (const std::vector<int>& tokens : std::vector<std::vector<int>>{{1, 2, 3}, {4}, {5}, {6}}) {
      ForwardInput input;
      input.tokens = tokens;
      input.count = int(tokens.size());
      input.trace = kTraceAll;
      auto output = executor.forward(input);
      if (!output) return output.error();
      logits.insert(logits.end(), output->logits.begin(), output->logits.end());
    }
    return logits;
  }
  CudaExecutor executor() { return {experiment_, facts_, std::make_shared<WeightStore>(), weights_, {}}; }

  Experiment experiment_;
  std::shared_ptr<const ModelWeights> weights_;
};

TEST_F(ExecutorFailures, MemoryThatRunsOutAnywhereEndsTheRunAndIsAllFreed) {
  CudaExecutor run = executor();
  const auto want = decode(run);
  ASSERT_TRUE(want) << want.error().message;
  const std::int64_t whole = shim::allocated_memory();
  int refused = 0;
  for (std::int64_t room = 0; room < whole; room += whole / (kSanitized ? 10 : 40)) {
    CudaExecutor tried = executor();
    shim::set_total_memory(whole + room);
    const auto got = decode(tried);
    shim::set_total_memory(kPlenty);
    if (got) continue;
    ++refused;
    EXPECT_NE(got.error().message.find("out of device memory"), std::string::npos) << got.error().message;
    EXPECT_NE(got.error().message.find("lower context, batch or layers"), std::string::npos);
    EXPECT_EQ(shim::allocated_memory(), whole) << "the other run's";
    const auto again = decode(tried);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, *want);
  }
  EXPECT_GT(refused, kSanitized ? 4 : 20);
}

TEST_F(ExecutorFailures, ALaunchThatFailsAnywhereEndsTheRunAndFreesAll) {
  std::vector<float> want;
  {
    CudaExecutor run = executor();
    want = *decode(run);
  }
  ASSERT_EQ(shim::allocated_memory(), 0);
  int failures = 0;
  for (int launches = 0;; launches += kStride) {
    CudaExecutor tried = executor();
    shim::fail_launch_after(launches);
    const auto got = decode(tried);
    shim::fail_launch_after(-1);
    if (got) break;
    ++failures;
    EXPECT_NE(got.error().message.find("backend cuda: the GPU no longer answers"), std::string::npos) << got.error().message;
    EXPECT_EQ(shim::allocated_memory(), 0);
    EXPECT_EQ(tried.positions(), 0);
    const auto again = decode(tried);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_EQ(*again, want);
  }
  EXPECT_GT(failures, 3);
}

TEST_F(ExecutorFailures, SyntheticRowsThatFindNoRoomEndTheRun) {
  CudaExecutor run = executor();
  ASSERT_TRUE(run.prepare());
  shim::set_total_memory(shim::allocated_memory() + 3000);
  const Status filled = run.fill_synthetic(130, 1);
  ASSERT_FALSE(filled);
  EXPECT_NE(filled.error().message.find("out of device memory"), std::string::npos);
  EXPECT_EQ(shim::allocated_memory(), 0);
}

TEST_F(ExecutorFailures, WhatDoesNotFitIsRefusedWithBothFiguresBeforeAnythingIsAllocated) {
  shim::set_total_memory(100 << 10);
  const auto refused = make_cuda_backend()->create(experiment_, weights_);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("the run needs "), std::string::npos) << refused.error().message;
  EXPECT_NE(refused.error().message.find("100.0 KiB are free on Test device"), std::string::npos) << refused.error().message;
  EXPECT_EQ(shim::allocated_memory(), 0);
}

TEST_F(ExecutorFailures, TheProbeSaysWhatThereIsOrWhyNot) {
  const auto backend = make_cuda_backend();
  EXPECT_TRUE(backend->probe().available);
  EXPECT_EQ(backend->probe().detail, "Test device, 4.00 GiB, compute capability 9.0, CUDA 13.0 driver");
  shim::set_absent("no NVIDIA driver is installed");
  EXPECT_FALSE(backend->probe().available);
  EXPECT_EQ(backend->probe().detail, "no NVIDIA driver is installed");
  const auto refused = backend->create(experiment_, weights_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "backend cuda: no NVIDIA driver is installed");
}

TEST_F(ExecutorFailures, RunsOfTheSameWeightsShareThemAndTheLastOneFreesThem) {
  const auto store = std::make_shared<WeightStore>();
  const std::int64_t all = store->missing_bytes(*weights_);
  EXPECT_GT(all, 0);
  CudaExecutor first(experiment_, facts_, store, weights_, {});
  ASSERT_TRUE(first.prepare());
  EXPECT_EQ(store->missing_bytes(*weights_), 0);
  const std::int64_t alone = shim::allocated_memory();
  {
    Experiment longer = experiment_;
    longer.context = 400;
    CudaExecutor second(longer, facts_, store, weights_, {});
    ASSERT_TRUE(second.prepare());
    EXPECT_LT(shim::allocated_memory() - alone, all / 4);
  }
  EXPECT_EQ(shim::allocated_memory(), alone);
}

}  // namespace
}  // namespace mla::gpu::testing
