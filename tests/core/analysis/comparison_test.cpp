#include "core/analysis/comparison.h"

#include "core/analysis/memory.h"
#include "core/model/model_catalog.h"
#include "core/spec/describe.h"
#include "tests/core/engine/engine_run.h"

namespace mla {
namespace {

LoadedModel loaded(const Experiment& experiment) {
  auto model = load(experiment);
  if (!model) ADD_FAILURE() << model.error().message;
  return *model;
}

LoadedModel fairy_tales(const std::vector<Setting>& settings = {}) {
  return loaded(*apply_all(*experiment_of_model(std::string(kFairyTales)), settings));
}

std::vector<int> opening(const LoadedModel& model, std::size_t tokens = 20) {
  auto ids = model.vocabulary.encode("Once upon a time there was a king who had three daughters, and the youngest", 1024);
  ids->resize(std::min(ids->size(), tokens));
  return *ids;
}

/// A random block that takes vectors.
Experiment vector_block(std::uint64_t seed = 3) {
  Experiment e = toy_experiment();
  e.seed = seed;
  return e;
}

Result<Comparison> compared(const LoadedModel& a, const LoadedModel& b, const std::vector<int>& tokens, int layer = 0) {
  return compare(a, b, tokens, layer, cpu());
}

TEST(Comparison, AnExperimentWithItselfDiffersByNothing) {
  const LoadedModel model = fairy_tales();
  const std::vector<int> tokens = opening(model);
  double progress = 0;
  const auto got = compare(model, model, tokens, 2, cpu(), [&](double fraction) {
    EXPECT_GT(fraction, progress);
    progress = fraction;
  });
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(progress, 1);
  EXPECT_EQ(got->layer, 2);
  EXPECT_EQ(got->ids, tokens);
  EXPECT_EQ(got->texts[1], model.vocabulary.display(tokens[1]));
  EXPECT_EQ(got->first.weights, got->second.weights);
  EXPECT_EQ(got->first.cache_bytes, got->second.cache_bytes);
  EXPECT_EQ(got->first.weight_bytes, model.weights->bytes());
  EXPECT_EQ(got->first.name, "");
  ASSERT_EQ(got->difference.size(), 6u);
  EXPECT_EQ(over_heads(*got).largest, 0);
  EXPECT_EQ(over_heads(*got).total_variation, 0);
  EXPECT_GT(got->first.median_ms, 0);
  EXPECT_FALSE(got->first.bits_per_byte);
}

TEST(Comparison, KeepsTheRowsThatADecodeOfEachRecords) {
  const LoadedModel a = fairy_tales(), b = fairy_tales({{"kv-lora-rank", "8"}});
  const std::vector<int> tokens = opening(a);
  const auto got = compared(a, b, tokens, 1);
  ASSERT_TRUE(got) << got.error().message;
  const int n = got->tokens();
  for (const auto& [model, side] : {std::pair{&a, &got->first}, {&b, &got->second}}) {
    auto decoder = Decoder::create(model->experiment, cpu(), model->weights);
    ASSERT_TRUE(decoder);
    const auto trace = (*decoder)->prefill(tokens, {TraceRequest::Layers::one, 1});
    ASSERT_TRUE(trace);
    for (const auto& row : trace->attention)
      for (int h = 0; h < row->heads; ++h)
        for (int key = 0; key < n; ++key) {
          const float kept = side->weights[h][row->query * n + key];
          if (key > row->query)
            ASSERT_EQ(kept, 0);
          else
            ASSERT_NEAR(kept, row->weights[h * row->keys + key], 1e-5) << h << ' ' << row->query << ' ' << key;
        }
  }
}

TEST(Comparison, AnElasticModelAtTwoSizesDiffersAndHoldsTheBytesOfTheFormula) {
  const LoadedModel a = fairy_tales(), b = fairy_tales({{"kv-lora-rank", "8"}, {"cache-dtype", "bf16"}});
  const auto got = compared(a, b, opening(a));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->first.name, "c 64 · fp32");
  EXPECT_EQ(got->second.name, "c 8 · bf16");
  EXPECT_GT(over_heads(*got).largest, 1e-3);
  EXPECT_LT(got->second.weight_bytes, got->first.weight_bytes);
  for (const ComparisonSide* side : {&got->first, &got->second}) {
    const Experiment& e = side->experiment;
    EXPECT_EQ(side->cache_bytes, got->tokens() * cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers));
  }
  EXPECT_EQ(got->first.cache_bytes, got->tokens() * 4 * (64 + 16) * 4) << "4 layers, 64 + 16 values, 4 bytes each";
}

TEST(Comparison, HeadsThatOnlyOneHasHaveNoDifference) {
  const LoadedModel a = fairy_tales(), b = fairy_tales({{"heads", "2"}});
  const auto got = compared(a, b, opening(a, 5));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->heads(), 6);
  EXPECT_EQ(got->first.heads(), 6);
  EXPECT_EQ(got->second.heads(), 2);
  EXPECT_EQ(got->difference.size(), 2u);
  EXPECT_LT(most_different_head(*got), 2);
}

TEST(Comparison, BlocksWithoutAVocabularyAreFedTheSameVectors) {
  const LoadedModel a = loaded(vector_block());
  Experiment uncached = vector_block();
  uncached.path = AttentionPath::uncached;
  const auto got = compared(a, loaded(uncached), std::vector<int>(7, -1));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->ids, std::vector<int>(7, -1));
  EXPECT_EQ(got->texts.back(), "x6");
  EXPECT_LT(over_heads(*got).largest, 1e-5) << "the same weights and vectors on two paths";
  EXPECT_EQ(got->second.cache_bytes, 0);
  EXPECT_GT(got->first.cache_bytes, 0);
}

TEST(Comparison, DifferencesOfAMapMadeByHand) {
  const std::vector<float> a{1, 9, 0.5f, 0.5f}, b{1, 7, 0.25f, 0.75f};
  const HeadDifference got = difference_of(a, b, 2);
  EXPECT_DOUBLE_EQ(got.largest, 0.25);
  EXPECT_DOUBLE_EQ(got.mean, 0.5 / 3) << "what is above the diagonal is no pair";
  EXPECT_DOUBLE_EQ(got.total_variation, 0.125) << "0 for the first query, 0.25 for the second";
  Comparison both;
  both.difference = {got, {0.75, 0.5, 0.375}, {}};
  EXPECT_EQ(most_different_head(both), 1);
  EXPECT_DOUBLE_EQ(over_heads(both).largest, 0.75);
  EXPECT_DOUBLE_EQ(over_heads(both).total_variation, 0.5 / 3);
  EXPECT_EQ(most_different_head({}), 0);
  EXPECT_EQ(difference_of({}, {}, 0).mean, 0);
}

TEST(Comparison, SaysWhyTwoCannotBeCompared) {
  const LoadedModel model = fairy_tales(), vectors = loaded(vector_block());
  const auto why = [](const LoadedModel& a, const LoadedModel& b, const std::vector<int>& tokens, int layer = 0) {
    const auto got = compared(a, b, tokens, layer);
    return got ? std::string("nothing") : got.error().message;
  };
  const std::vector<int> tokens{1, 2, 3};
  EXPECT_EQ(why(model, vectors, tokens),
            "comparison: the vocabularies have 1024 and 0 ids: both models must read the same tokens");
  EXPECT_EQ(why(model, model, {}), "comparison: no tokens were given");
  EXPECT_EQ(why(model, model, {5000}), "comparison: token 5000: the vocabulary has ids 0 to 1023");
  EXPECT_EQ(why(model, fairy_tales({{"layers", "2"}}), tokens, 2),
            "comparison: layer is 2: must be from 0 to 1, the layers that run in both");
  EXPECT_EQ(why(model, model, tokens, -1), "comparison: layer is -1: must be from 0 to 3, the layers that run in both");
  EXPECT_EQ(why(model, fairy_tales({{"context", "2"}}), tokens),
            "comparison: 3 tokens: the context of the second experiment is 2");
  EXPECT_EQ(why(model, model, std::vector<int>(513, 1)), "comparison: 513 tokens: must be at most 512");
  EXPECT_EQ(
      why(vectors, loaded(vector_block(4)), {-1}),
      "comparison: seed is 3 and 4: without a vocabulary the input vectors come from it, and both must be fed the same "
      "ones");
  EXPECT_EQ(why(vectors, loaded(toy_experiment(48)), {-1}),
            "comparison: hidden-size is 24 and 48: without a vocabulary both must take the same vectors");
}

TEST(Comparison, ModelsWhoseIdsMeanOtherTextAreRefused) {
  LoadedModel other = loaded(*apply_all(default_experiment(), {{"hidden-size", "32"}, {"heads", "1"}}));
  const LoadedModel model = fairy_tales();
  other.experiment.spec.vocab_size = 1024;  // as large a vocabulary of other text
  const auto got = compared(model, other, {'a'});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "comparison: token 97 is \"" + model.vocabulary.display('a') +
                                     "\" in the first model and \"a\" in the second: they do not share a vocabulary");
}

TEST(Comparison, CanBeCancelled) {
  const LoadedModel model = fairy_tales();
  std::stop_source source;
  int calls = 0;
  const auto got = compare(
      model, model, opening(model), 0, cpu(), [&](double) { ++calls, source.request_stop(); }, source.get_token());
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message, "cancelled");
  EXPECT_EQ(calls, 1);
}

TEST(DescribeApart, GivesTheTwoHalvesOfTheDifference) {
  const Experiment base = default_experiment();
  const Experiment other = *apply_all(base, {{"cache-dtype", "bf16"}, {"threads", "3"}});
  EXPECT_EQ(describe_apart(base, other), std::pair(std::string("fp32 · threads 0"), std::string("bf16 · threads 3")));
  EXPECT_EQ(describe_apart(base, base), std::pair(std::string(), std::string()));
  Experiment mha = *experiment_of_model("fairy-tales-mha"), mla = *experiment_of_model("fairy-tales");
  EXPECT_EQ(describe_apart(mha, mla), std::pair(std::string("fairy-tales-mha"), std::string("fairy-tales")));
  mla.path = AttentionPath::expanded;
  mla.layers = 3;
  mla.cache_dtype = CacheDtype::bf16;
  EXPECT_EQ(describe_apart(mha, mla),
            std::pair(std::string("fairy-tales-mha · layers 4 · fp32"), std::string("fairy-tales · layers 3 · bf16")));
  Experiment shape = base;
  shape.spec.attention.rope.theta = 3;
  EXPECT_EQ(describe_apart(base, shape).second, "another shape outside the settings");
  EXPECT_EQ(describe_difference(base, shape), "another shape outside the settings");
}

}  // namespace
}  // namespace mla
