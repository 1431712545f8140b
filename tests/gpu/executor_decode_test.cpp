// Tokens, one after the other, through the executor on the device: what is chosen, captured, timed, stopped and refused.
#include "core/model/model_catalog.h"
#include "core/spec/describe.h"
#include "gpu/engine/cuda_executor.h"
#include "tests/gpu/engine_pair.h"

namespace mla::gpu::testing {
namespace {

class DecodeTest : public DeviceTest {
 protected:
  void SetUp() override {
    DeviceTest::SetUp();
    SKIP_UNDER_THREAD_SANITIZER();
  }

  const std::unique_ptr<ComputeBackend> backend_ = make_cuda_backend();
};

TEST_F(DecodeTest, ABatchOfTokensAfterSyntheticOnesGivesTheSame) {
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

TEST_F(DecodeTest, SyntheticRowsAreTheCpusBytes) {
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

TEST_F(DecodeTest, CapturedStepsGiveTheBitsOfThoseThatAreNot) {
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
    for (int i = 0; i < (kSanitized ? 20 : 70); ++i) {  // past a page where there is time
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

TEST_F(DecodeTest, AStepThatIsRepeatedLaunchesNothingOneByOne) {
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

TEST_F(DecodeTest, StagesAddUpToLessThanTheWholeCall) {
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

/// Where keys and values are rebuilt, scores are less of the whole than by their columns alone.
TEST_F(DecodeTest, ScoresHaveThePartOfTheKernelsTimeThatTheirOperationsHave) {
  std::mt19937 rng(5);
  Experiment e = random_small(Variant::mla, rng);
  e.spec.attention.qk_nope_head_dim = 8;
  e.spec.attention.qk_rope_head_dim = 4;
  for (const AttentionPath path : {AttentionPath::absorbed, AttentionPath::expanded, AttentionPath::reexpanded}) {
    e.path = path;
    const AttentionSpec& a = e.spec.attention;
    const double rebuilt = path == AttentionPath::reexpanded ? 1 + a.kv_lora_rank : 1;  // products a column
    const bool absorbed = path == AttentionPath::absorbed;
    const double scores = (absorbed ? a.kv_lora_rank : rebuilt * a.qk_nope_head_dim) + a.qk_rope_head_dim;
    const double values = absorbed ? a.kv_lora_rank : rebuilt * a.v_head_dim;
    const auto model = load(e);
    auto decoder = Decoder::create(e, *backend_, model->weights);
    ASSERT_TRUE(decoder);
    for (int i = 0; i < 3; ++i) {  // at once, captured, repeated
      const auto step = (*decoder)->step();
      ASSERT_TRUE(step);
      EXPECT_EQ(step->split, StageSplit::operations);
      EXPECT_EQ(step->stages[int(Stage::softmax)], 0);
      const double of_scores = step->stages[int(Stage::scores)], of_values = step->stages[int(Stage::values)];
      EXPECT_GT(of_scores, 0);
      EXPECT_LE(of_scores * values, of_values * scores * (1 + 1e-9)) << "what follows the sums is the values', too";
    }
  }
}

TEST_F(DecodeTest, AStoppedPassSaysSo) {
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

TEST_F(DecodeTest, MoreThanTheContextIsRefused) {
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

/// What a prompt and so many steps give.
std::vector<int> decode(ComputeBackend& backend, const LoadedModel& model, const std::vector<int>& prompt, int steps) {
  auto decoder = Decoder::create(model.experiment, backend, model.weights);
  EXPECT_TRUE(decoder) << decoder.error().message;
  EXPECT_TRUE((*decoder)->prefill(prompt));
  for (int i = 0; i < steps; ++i) EXPECT_TRUE((*decoder)->step());
  return (*decoder)->tokens();
}

TEST_F(DecodeTest, TheBundledModelContinuesAsOnTheCpu) {
#if !defined(MLA_HAVE_PCRE2)
  GTEST_SKIP() << "built without PCRE2";
#endif
  if (kSanitized) GTEST_SKIP() << "too slow under a sanitizer";
  const auto e = experiment_of_model("fairy-tales");
  ASSERT_TRUE(e) << e.error().message;
  const auto model = load(*e);
  ASSERT_TRUE(model) << model.error().message;
  const auto prompt = model->vocabulary.encode("Once upon a time", e->spec.vocab_size);
  ASSERT_TRUE(prompt);
  EXPECT_EQ(decode(*backend_, *model, *prompt, 4), decode(cpu(), *model, *prompt, 4));
}

}  // namespace
}  // namespace mla::gpu::testing
