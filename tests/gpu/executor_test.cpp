// The executor on the device against the CPU's: outputs, attention rows, caches, bytes and work.
#include "gpu/engine/cuda_executor.h"

#include "core/model/model_catalog.h"
#include "core/spec/describe.h"
#include "tests/gpu/engine_pair.h"

namespace mla::gpu::testing {
namespace {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
constexpr int kTrials = 1, kMostVectors = 4;
#else
constexpr int kTrials = 6, kMostVectors = 12;
#endif

const std::vector<std::vector<int>> kPasses{{1000}, {1}, {3, 2, 1}};

class ExecutorTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    SKIP_UNDER_THREAD_SANITIZER();  // but for ShortRunTest
    backend_ = make_cuda_backend();
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

  std::unique_ptr<ComputeBackend> backend_;
};

/// Short enough for every sanitizer: the kernels that only a whole run launches are among them.
class ShortRunTest : public ExecutorTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    backend_ = make_cuda_backend();
  }
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

/// Tokens, not vectors, through a decoder.
struct Decoded {
  std::vector<int> tokens;
  std::vector<float> outputs;
  std::vector<StepTrace> traces;
};

Decoded decode(ComputeBackend& backend, const Experiment& e, const std::shared_ptr<const ModelWeights>& weights,
               const std::vector<int>& prompt, int steps, TraceRequest trace = {}) {
  Decoded decoded;
  auto decoder = Decoder::create(e, backend, weights);
  if (!decoder) {
    ADD_FAILURE() << decoder.error().message;
    return decoded;
  }
  (*decoder)->keep_outputs(true);
  auto first = (*decoder)->prefill(prompt, trace);
  if (first) decoded.traces.push_back(std::move(*first));
  for (int i = 0; i < steps && first; ++i) {
    auto step = (*decoder)->step(trace);
    if (!step) {
      ADD_FAILURE() << step.error().message;
      break;
    }
    decoded.traces.push_back(std::move(*step));
  }
  decoded.tokens = (*decoder)->tokens();
  decoded.outputs = (*decoder)->outputs();
  return decoded;
}

TEST_F(ExecutorTest, ABatchOfTokensAfterSyntheticOnesGivesTheSame) {
  std::mt19937 rng(31);
  for (const Variant variant : {Variant::mla, Variant::gqa})
    for (const AttentionPath path : paths_of(variant)) {
      Experiment e = random_small(variant, rng);
      e.path = path;
      e.batch = 3;
      e.prefill = 5;
      e.isa = "portable";
      if (variant == Variant::gqa) e.sampling = {1.5, 9, 0.9};  // chosen on the device
      SCOPED_TRACE(describe(e));
      const auto model = load(e);
      ASSERT_TRUE(model) << model.error().message;
      // Latents of synthetic rows cannot be kept, so outputs are not either.
      const auto run = [&](ComputeBackend& backend) {
        auto decoder = Decoder::create(e, backend, model->weights);
        EXPECT_TRUE(decoder) << decoder.error().message;
        std::vector<int> tokens;
        std::vector<std::int64_t> bytes;
        for (int i = 0; i < 4; ++i) {
          const auto step = (*decoder)->step();
          EXPECT_TRUE(step);
          bytes.push_back(step->work.bytes());
        }
        return std::pair((*decoder)->tokens(), bytes);
      };
      EXPECT_EQ(run(*backend_), run(cpu()));
    }
}

TEST_F(ExecutorTest, SyntheticRowsAreTheCpusBytes) {
  std::mt19937 rng(2);
  for (const CacheDtype dtype : {CacheDtype::fp32, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8}) {
    Experiment e = random_small(Variant::mla, rng);
    e.cache_dtype = dtype;
    e.prefill = 70;
    const auto model = load(e);
    ASSERT_TRUE(model);
    const auto got = Decoder::create(e, *backend_, model->weights), want = Decoder::create(e, cpu(), model->weights);
    ASSERT_TRUE(got && want);
    for (int l = 0; l < e.layers; ++l)
      EXPECT_EQ((*got)->executor().cache_rows(l), (*want)->executor().cache_rows(l)) << name_of(dtype);
  }
}

TEST_F(ExecutorTest, CapturedStepsGiveTheBitsOfThoseThatAreNot) {
  std::mt19937 rng(12);
  Experiment e = random_small(Variant::mla, rng);
  e.layers = e.spec.num_hidden_layers = 2;
  e.context = 80;
  const auto model = load(e);
  ASSERT_TRUE(model);
  const auto run = [&](bool graphs, TraceRequest trace) {
    CudaExecutor executor(e, facts_, std::make_shared<WeightStore>(), model->weights, {graphs});
    std::vector<float> logits;
    std::vector<std::shared_ptr<const AttentionRow>> rows;
    Work work;
    for (int i = 0; i < 70; ++i) {  // past a page
      const int token = i % 7;
      ForwardInput input;
      input.tokens = {&token, 1};
      input.count = 1;
      input.trace = trace;
      const auto output = executor.forward(input);
      EXPECT_TRUE(output) << output.error().message;
      logits.insert(logits.end(), output->logits.begin(), output->logits.end());
      rows.insert(rows.end(), output->trace.attention.begin(), output->trace.attention.end());
      work += output->trace.work;
    }
    return std::tuple(logits, rows, work.operations, work.bytes());
  };
  const auto captured = run(true, kTraceAll), plain = run(false, kTraceAll), unseen = run(true, {});
  EXPECT_EQ(std::get<0>(captured), std::get<0>(plain));
  EXPECT_EQ(std::get<0>(captured), std::get<0>(unseen));
  EXPECT_EQ(std::get<2>(captured), std::get<2>(plain));
  EXPECT_EQ(std::get<3>(captured), std::get<3>(plain));
  ASSERT_EQ(std::get<1>(captured).size(), std::get<1>(plain).size());
  for (std::size_t i = 0; i < std::get<1>(plain).size(); ++i) {
    EXPECT_EQ(std::get<1>(captured)[i]->weights, std::get<1>(plain)[i]->weights);
    EXPECT_EQ(std::get<1>(captured)[i]->scores_rope, std::get<1>(plain)[i]->scores_rope);
  }
}

TEST_F(ExecutorTest, AStepThatIsRepeatedLaunchesNothingOneByOne) {
  Experiment e = default_experiment();
  e.spec.attention.hidden_size = 16;
  e.spec.intermediate_size = 16;
  e.spec.attention.num_attention_heads = e.spec.attention.num_key_value_heads = 2;
  const auto model = load(e);
  ASSERT_TRUE(model) << model.error().message;
  auto decoder = Decoder::create(e, *backend_, model->weights);
  ASSERT_TRUE(decoder) << decoder.error().message;
  ASSERT_TRUE((*decoder)->step() && (*decoder)->step());
  LaunchLog log;
  const auto step = (*decoder)->step();
  ASSERT_TRUE(step);
  EXPECT_TRUE(log.names().empty());
  EXPECT_GT(step->work.operations, 0);
}

TEST_F(ExecutorTest, StagesAddUpToLessThanTheWholeCall) {
  std::mt19937 rng(5);
  const Experiment e = random_small(Variant::mla, rng);
  const auto model = load(e);
  auto decoder = Decoder::create(e, *backend_, model->weights);
  ASSERT_TRUE(decoder);
  for (int i = 0; i < 3; ++i) {  // at once, captured, repeated
    const auto step = (*decoder)->step();
    ASSERT_TRUE(step);
    double sum = 0;
    for (const double ms : step->stages) {
      EXPECT_GE(ms, 0);
      sum += ms;
    }
    EXPECT_GT(sum, 0);
    EXPECT_LE(sum, step->ms);
  }
}

TEST_F(ExecutorTest, AStoppedPassSaysSo) {
  std::mt19937 rng(6);
  const Experiment e = random_small(Variant::mla, rng);
  const auto model = load(e);
  auto decoder = Decoder::create(e, *backend_, model->weights);
  ASSERT_TRUE(decoder);
  std::stop_source source;
  source.request_stop();
  const std::vector<int> tokens{1, 2, 3};
  const auto stopped = (*decoder)->prefill(tokens, {}, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "cancelled");
}

TEST_F(ExecutorTest, MoreThanTheContextIsRefused) {
  std::mt19937 rng(6);
  Experiment e = random_small(Variant::mla, rng);
  e.context = 2;
  const auto model = load(e);
  auto decoder = Decoder::create(e, *backend_, model->weights);
  ASSERT_TRUE(decoder);
  const std::vector<int> tokens{1, 2, 3};
  const auto refused = (*decoder)->prefill(tokens);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("context 2: 3 tokens do not fit"), std::string::npos);
}

#if !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
TEST_F(ExecutorTest, TheBundledModelContinuesAsOnTheCpu) {
#if !defined(MLA_HAVE_PCRE2)
  GTEST_SKIP() << "built without PCRE2";
#endif
  const auto e = experiment_of_model("fairy-tales");
  ASSERT_TRUE(e) << e.error().message;
  const auto model = load(*e);
  ASSERT_TRUE(model) << model.error().message;
  const auto prompt = model->vocabulary.encode("Once upon a time", e->spec.vocab_size);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(decode(*backend_, model->experiment, model->weights, *prompt, 4).tokens,
            decode(cpu(), model->experiment, model->weights, *prompt, 4).tokens);
}
#endif

}  // namespace
}  // namespace mla::gpu::testing
