// The executor on the device against the CPU's, fed with vectors: outputs, attention rows, caches, bytes and work.
#include "core/spec/describe.h"
#include "tests/gpu/engine_pair.h"

namespace mla::gpu::testing {
namespace {

constexpr int kTrials = kSanitized ? 1 : 6, kMostVectors = kSanitized ? 4 : 12;

const std::vector<std::vector<int>> kPasses{{1000}, {1}, {3, 2, 1}};

class ExecutorTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    SKIP_UNDER_THREAD_SANITIZER();  // but for ShortRunTest
  }

  void expect_same(Experiment e, int vectors, const std::vector<int>& passes, TraceRequest trace = kTraceAll) {
    SCOPED_TRACE(describe(e) + ", seed " + std::to_string(e.seed) + ", passes of " + std::to_string(passes.front()));
    ASSERT_TRUE(validate(e)) << validate(e).error().message;
    e.isa = "portable";
    const auto model = load(e);
    ASSERT_TRUE(model) << model.error().message;
    const auto x = input_vectors(vectors, e.spec.attention.hidden_size, e.seed + 3);
    expect_same_run(run_on(*backend_, e, model->weights, x, passes, trace),
                    run_on(cpu(), e, model->weights, x, passes, trace), e);
  }

  const std::unique_ptr<ComputeBackend> backend_ = make_cuda_backend();
};

/// Short enough for every sanitizer: the kernels that only a whole run launches are among them.
class ShortRunTest : public ExecutorTest {
 protected:
  void SetUp() override { DeviceTest::SetUp(); }
};

TEST_F(ShortRunTest, OfAToyBlockAndOfADecoderWithExpertsGivesTheSame) {
  expect_same(toy_experiment(), 2, {1});
  std::mt19937 rng(21);
  Experiment e = random_small(Variant::mla, rng);
  e.spec.num_hidden_layers = e.layers = 1;
  e.spec.block = BlockKind::decoder;
  e.spec.intermediate_size = 24;
  e.spec.moe = random_experts(rng);
  e.spec.moe->first_k_dense_replace = 0;
  expect_same(e, 2, {1});
}

class EveryVariant : public ExecutorTest, public ::testing::WithParamInterface<Variant> {};

TEST_P(EveryVariant, GivesWhatTheCpuGivesOnEveryPath) {
  std::mt19937 rng(unsigned(GetParam()) + 5);
  for (int trial = 0; trial < kTrials; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    const int vectors = 2 + int(rng() % unsigned(kMostVectors - 1));
    for (const AttentionPath path : paths_of(GetParam())) {
      e.path = path;
      expect_same(e, vectors, kPasses[rng() % kPasses.size()], rng() % 4 ? kTraceAll : TraceRequest{});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Executor, EveryVariant, ::testing::Values(Variant::mla, Variant::mha, Variant::gqa, Variant::mqa),
                         [](const auto& variant) { return std::string(name_of(variant.param)); });

TEST_F(ExecutorTest, TheToyBlockGivesTheSameOnEveryPath) {
  Experiment e = toy_experiment();
  for (const AttentionPath path : paths_of(Variant::mla)) {
    e.path = path;
    for (const auto& passes : kPasses) expect_same(e, 5, passes);
  }
}

TEST_F(ExecutorTest, EveryCacheTypeGivesTheSame) {
  std::mt19937 rng(3);
  Experiment e = random_small(Variant::mla, rng);
  e.spec.attention.kv_lora_rank = 33;
  e.spec.attention.trained_kv_lora_rank = 0;
  for (const CacheDtype dtype : {CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8})
    for (const AttentionPath path : {AttentionPath::expanded, AttentionPath::reexpanded, AttentionPath::absorbed}) {
      e.cache_dtype = dtype;
      e.path = path;
      expect_same(e, 4, {2, 1});
    }
}

TEST_F(ExecutorTest, EveryTypeOfWeightsGivesTheSame) {
  std::mt19937 rng(8);
  for (const Variant variant : {Variant::mla, Variant::gqa})
    for (const WeightsDtype dtype : {WeightsDtype::bf16, WeightsDtype::int8}) {
      Experiment e = random_small(variant, rng);
      e.spec.block = BlockKind::decoder;
      e.spec.intermediate_size = 40;
      e.weights_dtype = dtype;
      for (const auto& passes : kPasses) expect_same(e, 12, passes);
    }
}

TEST_F(ExecutorTest, ExpertsAreChosenAsOnTheCpu) {
  std::mt19937 rng(21);
  for (int trial = 0; trial < 2 * kTrials; ++trial) {
    Experiment e = random_small(Variant::mla, rng);
    e.spec.block = BlockKind::decoder;
    e.spec.intermediate_size = 24;
    e.spec.moe = random_experts(rng);
    for (const auto& passes : {std::vector<int>{40}, {1}}) expect_same(e, trial % 2 ? 3 : 40, passes, {});
  }
}

TEST_F(ExecutorTest, OneLayersRowsAreTheOnesOfThatLayer) {
  std::mt19937 rng(4);
  Experiment e = random_small(Variant::mla, rng);
  e.layers = e.spec.num_hidden_layers = 3;
  expect_same(e, 4, {2, 1}, {TraceRequest::Layers::one, 1});
}

TEST_F(ExecutorTest, APrefillOfSeveralChunksAndPagesGivesTheSame) {
  Experiment e = toy_experiment(8, 2, 2);
  e.spec.vocab_size = 0;
  e.context = 600;
  for (const AttentionPath path : {AttentionPath::absorbed, AttentionPath::uncached}) {
    e.path = path;
    expect_same(e, 300, {290, 10}, {});
  }
}

/// (576, 512) in bf16: pages of tiles, where the device wants them.
TEST_F(ExecutorTest, TheLargeRowsOfTheFastestDecodeGiveTheSame) {
  Experiment e = default_experiment();
  AttentionSpec& a = e.spec.attention;
  a.hidden_size = 24;
  a.num_attention_heads = a.num_key_value_heads = 2;
  a.qk_nope_head_dim = a.v_head_dim = 8;
  a.qk_rope_head_dim = 64;
  a.kv_lora_rank = 512;
  e.spec.block = BlockKind::attention;
  e.spec.intermediate_size = 0;
  e.spec.num_hidden_layers = e.layers = 1;
  e.cache_dtype = CacheDtype::bf16;
  e.context = 100;
  expect_same(e, 6, {4, 1});
}

}  // namespace
}  // namespace mla::gpu::testing
