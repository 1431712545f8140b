#include "core/engine/decoder.h"

#include <chrono>

#include "core/analysis/cost.h"
#include "core/analysis/memory.h"
#include "tests/core/engine/engine_run.h"

namespace mla {
namespace {

std::vector<int> tokenize(std::string_view text) { return *Vocabulary(256).encode(text, 256); }

Experiment small() {
  Experiment e = default_experiment();
  for (const Setting& setting : std::vector<Setting>{{"hidden-size", "64"}, {"heads", "3"}, {"context", "64"}}) {
    const auto changed = apply(e, setting);
    EXPECT_TRUE(changed) << changed.error().message;
    e = *changed;
  }
  e.spec.intermediate_size = 96;
  return e;
}

std::unique_ptr<Decoder> start(const Experiment& e) {
  const auto model = load(e);
  EXPECT_TRUE(model) << (model ? "" : model.error().message);
  auto decoder = Decoder::create(e, cpu(), model->weights);
  EXPECT_TRUE(decoder) << (decoder ? "" : decoder.error().message);
  return std::move(*decoder);
}

TEST(Decoder, ContinuesAPromptAndTracesWhatItDid) {
  auto decoder = start(small());
  const auto prompt = tokenize("Once upon");
  const auto prefill = decoder->prefill(prompt, kTraceAll);
  ASSERT_TRUE(prefill);
  EXPECT_EQ(prefill->positions, 9);
  EXPECT_EQ(prefill->attention.size(), 18u);  // two layers
  const auto step = decoder->step(kTraceAll);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->position, 9);
  EXPECT_EQ(step->attention.size(), 2u);
  EXPECT_EQ(step->attention[1]->keys, 10);
  EXPECT_EQ(decoder->tokens().size(), 11u);
  EXPECT_EQ(decoder->tokens().back(), step->token);
  double stages = 0;
  for (double ms : step->stages) stages += ms;
  EXPECT_GT(step->ms, 0);
  EXPECT_LE(stages, step->ms);
  EXPECT_GT(stages, 0.5 * step->ms);
}

TEST(Decoder, SaysHowTheTimesOfItsAttentionWereToldApart) {
  Experiment e = small();
  e.path = AttentionPath::expanded;
  auto decoder = start(e);
  EXPECT_EQ(decoder->prefill(tokenize("Once upon"), kTraceAll)->split, StageSplit::measured);
  const auto step = decoder->step(kTraceAll);
  EXPECT_EQ(step->split, StageSplit::thread_times) << "in one pass over the cache";
  EXPECT_GT(step->stages[int(Stage::softmax)], 0);
}

TEST(Decoder, PrefillAndTokenByTokenChooseTheSameTokens) {
  const auto prompt = tokenize("There was a king");
  auto once = start(small()), slowly = start(small());
  ASSERT_TRUE(once->prefill(prompt));
  for (int token : prompt) ASSERT_TRUE(slowly->prefill(std::vector<int>{token}));
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(once->step());
    ASSERT_TRUE(slowly->step());
  }
  EXPECT_EQ(once->tokens(), slowly->tokens());
}

TEST(Decoder, TracesOnlyWhatIsAskedFor) {
  auto decoder = start(small());
  EXPECT_TRUE(decoder->step()->attention.empty());
  const auto one = decoder->step({TraceRequest::Layers::one, 1});
  ASSERT_EQ(one->attention.size(), 1u);
  EXPECT_EQ(one->attention[0]->layer, 1);
}

TEST(Decoder, SequencesOfABatchAgreeWithASingleOne) {
  Experiment e = small();
  auto single = start(e);
  e.batch = 3;
  auto batch = start(e);
  ASSERT_TRUE(single->prefill(tokenize("abc")));
  ASSERT_TRUE(batch->prefill(tokenize("abc")));
  for (int i = 0; i < 10; ++i) {
    const auto a = single->step(kTraceAll), b = batch->step(kTraceAll);
    EXPECT_EQ(b->cache_bytes, 3 * a->cache_bytes);
    EXPECT_LT(relative_error(b->attention[0]->weights, a->attention[0]->weights), 1e-5);
  }
  EXPECT_EQ(single->tokens(), batch->tokens());
}

TEST(Decoder, StopsAtItsContext) {
  Experiment e = small();
  e.context = 5;
  auto decoder = start(e);
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(decoder->can_step());
    ASSERT_TRUE(decoder->step());
  }
  EXPECT_FALSE(decoder->can_step());
  const auto more = decoder->step();
  ASSERT_FALSE(more);
  EXPECT_NE(more.error().message.find("context 5"), std::string::npos) << more.error().message;
}

TEST(Decoder, BeginsBehindSyntheticTokens) {
  for (AttentionPath path : paths_of(Variant::mla)) {
    Experiment e = small();
    e.prefill = 20;
    e.path = path;
    auto decoder = start(e);
    EXPECT_EQ(decoder->positions(), 20);
    const auto step = decoder->step(kTraceAll);
    ASSERT_TRUE(step);
    EXPECT_EQ(step->attention[0]->keys, 21);
    EXPECT_EQ(step->cache_bytes, 21 * cache_bytes_per_token(e.spec, path, e.cache_dtype, e.layers));
  }
}

TEST(Decoder, RefusesATokenOutsideTheVocabulary) {
  auto decoder = start(small());
  const auto refused = decoder->prefill(std::vector<int>{3, 256});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("256"), std::string::npos);
}

TEST(Decoder, StopsWhenTold) {
  auto decoder = start(small());
  std::stop_source source;
  source.request_stop();
  const auto stopped = decoder->prefill(tokenize("abc"), {}, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "cancelled");
}

TEST(Decoder, RefusesWhatDoesNotFitBeforeAllocating) {
  Experiment e = default_experiment();
  e.context = 4000000;
  e.batch = 1000;
  const auto refused = load(e);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("iB"), std::string::npos) << refused.error().message;
}

TEST(Weights, AreTheSameWhateverTheThreads) {
  Experiment e = small();
  e.threads = 1;
  const auto one = build_weights(e);
  e.threads = 5;
  const auto five = build_weights(e);
  const Weight &a = (*one)->layers[1].gate_proj.weight, &b = (*five)->layers[1].gate_proj.weight;
  EXPECT_TRUE(std::equal(a.data(), a.data() + a.values->size(), b.data()));
  e.seed = 2;
  const auto other = build_weights(e);
  EXPECT_NE((*other)->layers[1].gate_proj.weight.data()[0], a.data()[0]);
}

TEST(Weights, ShareWhatDidNotChange) {
  const Experiment e = small();
  const auto before = build_weights(e);
  const auto changed = apply(e, {"kv-lora-rank", "7"});
  const auto after = build_weights(*changed, before->get());
  EXPECT_EQ((*after)->layers[0].gate_proj.weight.values, (*before)->layers[0].gate_proj.weight.values);
  EXPECT_NE((*after)->layers[0].attention.kv_b_proj.weight.values, (*before)->layers[0].attention.kv_b_proj.weight.values);
  EXPECT_GT(shared_weight_bytes(*changed, **before), weight_bytes(*changed) / 2);
}

// Scaled so that attention shows something: far from uniform, far from one-hot.
TEST(Weights, GiveAttentionThatIsNeitherUniformNorOneHot) {
  for (const Experiment& base : {default_experiment(), experiment_from(*find_preset("deepseek-v2-lite")),
                                 toy_experiment(256, 8, 4), *apply(default_experiment(), {"variant", "gqa"})}) {
    const auto x = input_vectors(64, base.spec.attention.hidden_size, 5);
    const EngineRun run = run_vectors(base, x, {64});
    double entropy = 0;
    int count = 0;
    for (const AttentionRow* row : run.rows())
      for (int h = 0; h < row->heads && row->keys >= 32; ++h, ++count)
        for (int k = 0; k < row->keys; ++k) {
          const double w = row->weights[std::size_t(h) * row->keys + k];
          if (w > 0) entropy -= w * std::log(w) / std::log(double(row->keys));
        }
    entropy /= count;
    EXPECT_GT(entropy, 0.3) << describe(base);
    EXPECT_LT(entropy, 0.95) << describe(base);
  }
}

TEST(Sampler, IsGreedyAtTemperatureZeroAndFollowsItsSeedOtherwise) {
  const std::vector<float> logits = {0, 3, 2.9f, -1};
  Sampler greedy({0, 0, 1}, 1);
  EXPECT_EQ(greedy.choose(logits), 1);
  Sampler a({1, 0, 1}, 5), b({1, 0, 1}, 5), only_best({1, 1, 1}, 9), nucleus({1, 0, 0.4}, 3);
  std::vector<int> counts(4);
  for (int i = 0; i < 4000; ++i) {
    const int token = a.choose(logits);
    EXPECT_EQ(token, b.choose(logits));
    ++counts[token];
    EXPECT_EQ(only_best.choose(logits), 1);
    EXPECT_EQ(nucleus.choose(logits), 1);
  }
  double total = 0;
  for (float l : logits) total += std::exp(l);
  for (int t = 0; t < 4; ++t) EXPECT_NEAR(counts[t] / 4000.0, std::exp(logits[t]) / total, 0.03);
}

// Its history is recomputed in chunks, of a single position where there are many heads: those are not recorded again.
TEST(Decoder, AnUncachedStepRecordsItsOwnRowOnly) {
  const auto experiment = apply_all(default_experiment(), {{"attention", "uncached"},
                                                           {"heads", "512"},
                                                           {"batch", "64"},
                                                           {"kv-lora-rank", "4"},
                                                           {"nope-dim", "2"},
                                                           {"rope-dim", "0"},
                                                           {"v-head-dim", "1"},
                                                           {"hidden-size", "16"},
                                                           {"layers", "1"}});
  ASSERT_TRUE(experiment) << experiment.error().message;
  const auto model = load(*experiment);
  ASSERT_TRUE(model) << model.error().message;
  const auto backend = make_cpu_backend();
  auto decoder = Decoder::create(*experiment, *backend, model->weights);
  ASSERT_TRUE(decoder) << decoder.error().message;
  ASSERT_TRUE((*decoder)->prefill(std::vector<int>(90, 3)));
  const auto step = (*decoder)->step({TraceRequest::Layers::all, 0});
  ASSERT_TRUE(step) << step.error().message;
  ASSERT_EQ(step->attention.size(), 1u);
  EXPECT_EQ(step->attention.front()->query, 90);
}

}  // namespace
}  // namespace mla
