#include "core/spec/experiment.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>

#include "core/spec/presets.h"
#include "tests/core/spec/random_experiment.h"

namespace mla {
namespace {

TEST(Experiment, TheDefaultIsARandomDecoderOf512) {
  const Experiment e = default_experiment();
  EXPECT_TRUE(validate(e));
  EXPECT_EQ(e.spec.block, BlockKind::decoder);
  EXPECT_EQ(e.spec.attention.hidden_size, 512);
  EXPECT_EQ(e.spec.vocab_size, 256);
  EXPECT_EQ(e.path, AttentionPath::absorbed);
  EXPECT_EQ(e.cache_dtype, CacheDtype::fp32);
}

TEST(Experiment, ValidateNamesFieldValueAndRule) {
  using E = Experiment;
  const std::vector<std::pair<const char*, std::function<void(E&)>>> table{
      {"hidden_size", [](E& e) { e.spec.attention.hidden_size = -1; }},
      {"layers is 3: must be from 1 to 2", [](E& e) { e.layers = 3; }},
      {"layers is 0", [](E& e) { e.layers = 0; }},
      {"attention is absorbed: variant mha has no such path", [](E& e) { e.spec = with_variant(e.spec, Variant::mha); }},
      {"context is 0", [](E& e) { e.context = 0; }},
      {"context is 5000000", [](E& e) { e.context = 5000000; }},
      {"prefill is 4096: must be from 0 to one below the context 4096", [](E& e) { e.prefill = 4096; }},
      {"prefill is -1", [](E& e) { e.prefill = -1; }},
      {"prefill is 4090: with the prompt's 33 bytes", [](E& e) { e.prefill = 4090; }},
      {"batch is 0", [](E& e) { e.batch = 0; }},
      {"batch is 2000", [](E& e) { e.batch = 2000; }},
      {"threads is -1", [](E& e) { e.threads = -1; }},
      {"backend tpu", [](E& e) { e.backend = "tpu"; }},
      {"isa neon", [](E& e) { e.isa = "neon"; }},
      {"temperature -1", [](E& e) { e.sampling.temperature = -1; }},
      {"top-k -3", [](E& e) { e.sampling.top_k = -3; }},
      {"top-p 2", [](E& e) { e.sampling.top_p = 2; }},
      {"prompt", [](E& e) { e.prompt = "\xff"; }},
  };
  for (const auto& [names, change] : table) {
    Experiment experiment = default_experiment();
    change(experiment);
    const Status status = validate(experiment);
    ASSERT_FALSE(status) << names;
    EXPECT_NE(status.error().message.find(names), std::string::npos) << status.error().message << "\n  wants " << names;
  }
}

TEST(ExperimentJson, RandomExperimentsReadBackExactly) {
  std::mt19937 random(3);
  for (int i = 0; i < 300; ++i) {
    const Experiment experiment = random_experiment(random);
    const auto read = experiment_from_json(to_json(experiment), "x.mla.json");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, experiment) << to_json(experiment);
  }
}

TEST(ExperimentJson, ExtremesReadBackExactly) {
  Experiment experiment = default_experiment();
  experiment.seed = 18446744073709551615ull;
  experiment.sampling = {0.1, 5, 1.0 / 3};
  experiment.spec.rms_norm_eps = 1e-5;
  experiment.spec.tie_word_embeddings = true;
  experiment.spec.attention.trained_kv_lora_rank = 128;
  experiment.spec.attention.rope.yarn = Yarn{40, 4096, 32, 1, 0.707, 0.707};
  experiment.prompt.clear();
  const auto read = experiment_from_json(to_json(experiment), "x");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, experiment);
}

TEST(ExperimentJson, ExpertsAndScalingsReadBackExactly) {
  Experiment experiment = default_experiment();
  experiment.spec.attention.rope.llama3 = Llama3Rope{8, 1.5, 4, 8192};
  MoeSpec& moe = experiment.spec.moe.emplace();
  moe = {256, 8, 2048, 1, 3, 2, 8, 4, ScoringFunc::sigmoid, TopkMethod::noaux_tc, true, 2.5};
  for (const TopkMethod method : {TopkMethod::greedy, TopkMethod::group_limited_greedy, TopkMethod::noaux_tc}) {
    moe.topk_method = method;
    const auto read = experiment_from_json(to_json(experiment), "x");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, experiment);
  }
  experiment.spec.moe.reset();
  experiment.spec.attention.rope = {.theta = 5e5, .linear_factor = 4};
  const auto read = experiment_from_json(to_json(experiment), "x");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, experiment);
}

TEST(ExperimentJson, WhatIsLeftOutComesFromThePreset) {
  const auto read = experiment_from_json(
      R"({"format": "mla-explorer experiment", "version": 1, "preset": "kimi-k2", "context": 100, "spec": {"rope_scaling": null}})",
      "x");
  ASSERT_TRUE(read) << read.error().message;
  Experiment expected = experiment_from(*find_preset("kimi-k2"));
  expected.context = 100;
  expected.spec.attention.rope.yarn.reset();
  EXPECT_EQ(*read, expected);
}

TEST(ExperimentJson, RefusesByName) {
  const std::string head = R"({"format": "mla-explorer experiment", "version": 1, )";
  const std::vector<std::pair<std::string, const char*>> table{
      {"", "f.json: is not JSON"},
      {"{", "f.json: is not JSON"},
      {"[]", "f.json: must be a JSON object, is []"},
      {"null", "f.json: must be a JSON object, is null"},
      {"{}", "f.json: not an experiment file"},
      {R"({"format": "sonnet", "version": 1})", "\"format\" is sonnet"},
      {R"({"format": "mla-explorer experiment"})", "\"version\" is 0"},
      {R"({"format": "mla-explorer experiment", "version": 2})", "\"version\" is 2: this program reads version 1"},
      {head + R"("kv_lora": 3})", "f.json: unknown field \"kv_lora\""},
      {head + R"("spec": {"kv_lora": 3}})", "f.json: spec: unknown field \"kv_lora\""},
      {head + R"("spec": {"rope_scaling": {"type": "yarn", "beta": 1}}})", "rope_scaling: unknown field \"beta\""},
      {head + R"("spec": {"rope_scaling": {"type": "dynamic"}}})", "rope_scaling: \"type\" is dynamic"},
      {head + R"("spec": {"rope_scaling": {"type": "linear", "factor": 0.5}}})", "factor is 0.5: must be from 1"},
      {head + R"("spec": {"rope_scaling": {"type": "llama3", "beta_fast": 1}}})",
       "rope_scaling: unknown field \"beta_fast\""},
      {head + R"("spec": {"rope_scaling": {"type": "llama3", "low_freq_factor": 4}}})",
       "low_freq_factor is 4: must be below"},
      {head + R"("spec": {"n_routed_experts": 8, "num_experts": 3}})", "spec: unknown field \"num_experts\""},
      {head + R"("spec": {"n_routed_experts": null, "n_group": 3}})", "spec: unknown field \"n_group\""},
      {head + R"("spec": {"n_routed_experts": 8, "scoring_func": "tanh"}})", "scoring_func tanh is not known"},
      {head + R"("spec": {"n_routed_experts": 8, "topk_method": 4}})", "\"topk_method\" is 4: must be text"},
      {head + R"("spec": {"n_routed_experts": 8, "num_experts_per_tok": 9}})",
       "num_experts_per_tok is 9: must be from 1 to 8"},
      {head + R"("spec": {"n_routed_experts": 8, "n_group": 3}})", "n_group is 3: must divide n_routed_experts 8"},
      {head + R"("spec": {"n_routed_experts": 8, "block": "attention", "intermediate_size": 0}})", "only the decoder block"},
      {head + R"("spec": {"rope_scaling": 4}})", "rope_scaling: must be a JSON object, is 4"},
      {head + R"("spec": 7})", "f.json: spec: must be a JSON object, is 7"},
      {head + R"("context": "many"})", "\"context\" is \"many\": must be a whole number"},
      {head + R"("context": 4096.5})", "\"context\" is 4096.5: must be a whole number"},
      {head + R"("context": 99999999999})", "\"context\" is 99999999999"},
      {head + R"("context": 18446744073709551615})", "\"context\" is 18446744073709551615"},
      {head + R"("context": -9223372036854775808})", "\"context\" is -9223372036854775808"},
      {head + R"("context": null})", "\"context\" is null"},
      {head + R"("context": -1})", "f.json: context is -1: must be from 1"},
      {head + R"("batch": 5000})", "f.json: batch is 5000"},
      {head + R"("seed": -1})", "\"seed\" is -1: must be a whole number from 0"},
      {head + R"("seed": 1.5})", "\"seed\" is 1.5"},
      {head + R"("temperature": "warm"})", "\"temperature\" is \"warm\": must be a number"},
      {head + R"("prompt": 5})", "\"prompt\" is 5: must be text"},
      {head + R"("attention": "telepathic"})", "\"attention\" is \"telepathic\""},
      {head + R"("attention": 4})", "\"attention\" is 4: must be text"},
      {head + R"("cache-dtype": "int4"})", "cache-dtype int4 is not known"},
      {head + R"("backend": "tpu"})", "backend tpu"},
      {head + R"("preset": "gpt-9"})", "preset gpt-9 is not known"},
      {head + R"("spec": {"variant": "tpa"}})", "variant tpa is not built yet"},
      {head + R"("spec": {"tie_word_embeddings": 1}})", "\"tie_word_embeddings\" is 1: must be true or false"},
      {head + R"("spec": {"num_attention_heads": 0}})", "num_attention_heads (--heads) is 0"},
      {head + R"("spec": {"variant": "mha"}})", "f.json: "},
  };
  for (const auto& [text, names] : table) {
    const auto read = experiment_from_json(text, "f.json");
    ASSERT_FALSE(read) << text;
    EXPECT_NE(read.error().message.find(names), std::string::npos) << read.error().message << "\n  wants " << names;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }
}

TEST(ExperimentJson, DamagedFilesAreRefusedOrValid) {
  std::mt19937 random(5);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text = to_json(random_experiment(random));
    for (int damage = 0; damage < 3; ++damage) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        default:
          text.insert(at, std::string(1, "0-9\"{}[],.e"[random() % 11]));
      }
    }
    const auto read = experiment_from_json(text, "f");
    if (read) {
      EXPECT_TRUE(validate(*read)) << text;
    } else {
      ++refused;
      EXPECT_EQ(read.error().message.find_first_of("\n\r"), std::string::npos) << read.error().message;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Describe, NamesWhatMatters) {
  EXPECT_EQ(describe(default_experiment()), "MLA absorbed · c 96 · 8 heads · n 64 + r 32 · fp32");
  Experiment truncated = default_experiment();
  truncated.spec.attention.trained_kv_lora_rank = 128;
  EXPECT_EQ(describe(truncated), "MLA absorbed · c 96 of 128 · 8 heads · n 64 + r 32 · fp32");
  EXPECT_EQ(describe(experiment_from(*find_preset("llama-3-8b"))), "GQA-8 expanded · 32 heads · r 128 · fp32");
  EXPECT_EQ(describe(experiment_from(*find_preset("tutorial"))), "MLA absorbed · c 4 · 128 heads · n 4 · fp32");
}

TEST(Describe, DifferencesLeaveOutWhatFollows) {
  const Experiment base = default_experiment();
  const auto changed = [&](const std::vector<Setting>& settings) {
    return describe_difference(base, *apply_all(base, settings));
  };
  EXPECT_EQ(describe_difference(base, base), "");
  EXPECT_EQ(changed({{"kv-lora-rank", "8"}}), "c 96 → 8");
  EXPECT_EQ(changed({{"variant", "mha"}}), "MLA → MHA");
  EXPECT_EQ(changed({{"variant", "gqa"}, {"heads", "12"}, {"cache-dtype", "bf16"}}),
            "MLA → GQA-6 · heads 8 → 12 · fp32 → bf16");
  EXPECT_EQ(changed({{"rope-dim", "48"}}), "r 32 → 48");
  EXPECT_EQ(changed({{"attention", "expanded"}, {"batch", "4"}}), "absorbed → expanded · batch 1 → 4");
  EXPECT_EQ(changed({{"isa", "portable"}}), "isa best → portable");
  const Experiment v3 = experiment_from(*find_preset("deepseek-v3"));
  EXPECT_EQ(describe_difference(base, v3), "random block → deepseek-v3");
  EXPECT_EQ(describe_difference(base, *apply(v3, {"heads", "64"})), "random block → deepseek-v3 · heads 128 → 64");
  Experiment other = base;
  other.spec.rms_norm_eps = 1e-5;
  EXPECT_EQ(describe_difference(base, other), "another shape outside the settings");
}

TEST(Describe, ExperimentsThatDifferAreToldApart) {
  std::mt19937 random(11);
  Experiment last = default_experiment();
  for (int i = 0; i < 100; ++i) {
    const Experiment next = random_experiment(random);
    EXPECT_EQ(describe_difference(last, next).empty(), last == next);
    last = next;
  }
}

}  // namespace
}  // namespace mla
