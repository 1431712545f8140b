#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "core/spec/experiment.h"
#include "core/spec/presets.h"
#include "tests/core/spec/random_experiment.h"

namespace mla {
namespace {

Experiment preset(std::string_view name) { return experiment_from(*find_preset(name)); }

/// The experiment after the settings, in the order given.
Experiment after(Experiment experiment, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    const auto changed = apply(experiment, setting);
    EXPECT_TRUE(changed) << (changed ? "" : changed.error().message);
    if (changed) experiment = *changed;
  }
  return experiment;
}

TEST(Settings, ValueOfIsWhatApplyTakes) {
  std::mt19937 random(7);
  for (int i = 0; i < 200; ++i) {
    const Experiment experiment = random_experiment(random);
    for (const auto name : setting_names()) {
      const auto same = apply(experiment, {std::string(name), value_of(experiment, name)});
      ASSERT_TRUE(same) << same.error().message;
      EXPECT_EQ(*same, experiment) << name;
    }
  }
}

TEST(Settings, EachOneCanBeChangedAndReadBack) {
  const std::vector<Setting> changes{{"variant", "gqa"},      {"attention", "reexpanded"},
                                     {"hidden-size", "1024"}, {"heads", "9"},
                                     {"kv-lora-rank", "8"},   {"q-lora-rank", "48"},
                                     {"v-head-dim", "33"},    {"rope-dim", "16"},
                                     {"nope-dim", "40"},      {"layers", "5"},
                                     {"context", "4194304"},  {"prefill", "100"},
                                     {"batch", "3"},          {"cache-dtype", "bf16"},
                                     {"backend", "cuda"},     {"threads", "2"},
                                     {"isa", "portable"},     {"seed", "18446744073709551615"},
                                     {"temperature", "0.8"},  {"top-k", "40"},
                                     {"top-p", "0.95"},       {"prompt", "Es war einmal"}};
  for (const Setting& change : changes) {
    const Experiment changed = after(default_experiment(), {change});
    EXPECT_NE(changed, default_experiment()) << change.name;
    EXPECT_EQ(value_of(changed, change.name), change.value);
    EXPECT_TRUE(validate(changed)) << change.name << ": " << validate(changed).error().message;
  }
}

TEST(Settings, RefuseByNameValueAndRule) {
  struct Row {
    Setting setting;
    const char* message;
    const char* preset = nullptr;
  };
  const std::vector<Row> table{
      {{"heads", "abc"}, "--heads abc: must be a whole number from 1 to 512"},
      {{"heads", ""}, "--heads '': must be a whole number from 1 to 512"},
      {{"heads", "-5"}, "--heads -5: must be a whole number from 1 to 512"},
      {{"heads", "0"}, "--heads 0: must be"},
      {{"heads", "513"}, "--heads 513: must be"},
      {{"heads", "12x"}, "--heads 12x: must be"},
      {{"heads", " 12"}, "--heads  12: must be"},
      {{"context", "1e9"}, "--context 1e9: must be a whole number from 1 to 4194304"},
      {{"context", "99999999999999999999"}, "--context 99999999999999999999: must be"},
      {{"context", "4194305"}, "--context 4194305: must be"},
      {{"prefill", "-1"}, "--prefill -1: must be"},
      {{"batch", "0"}, "--batch 0: must be a whole number from 1 to 1024"},
      {{"layers", "0"}, "--layers 0: must be a whole number from 1 to 256"},
      {{"layers", "28"}, "--layers 28: must be a whole number from 1 to 27", "deepseek-v2-lite"},
      {{"kv-lora-rank", "0"}, "--kv-lora-rank 0: must be a whole number from 1 to 4096"},
      {{"kv-lora-rank", "4097"}, "--kv-lora-rank 4097: must be"},
      {{"kv-lora-rank", "64"}, "--kv-lora-rank 64: MHA has no latent; --variant mla has one", "llama-2-7b"},
      {{"q-lora-rank", "64"}, "--q-lora-rank 64: GQA-8 has no query latent", "llama-3-8b"},
      {{"kv-heads", "4"}, "--kv-heads 4: MLA keeps one latent for all heads"},
      {{"kv-heads", "4"}, "--kv-heads 4: MHA has keys and values for every head", "llama-2-7b"},
      {{"rope-dim", "3"}, "--rope-dim 3: RoPE turns pairs, must be even"},
      {{"rope-dim", "98"}, "--rope-dim 98: RoPE takes its part from the head, which has 96 (64 NoPE + 32 RoPE)"},
      {{"rope-dim", "2"}, "--rope-dim 2: the tutorial's block has no RoPE", "tutorial"},
      {{"nope-dim", "8"}, "--nope-dim 8: the tutorial's block has keys as wide as its latent", "tutorial"},
      {{"v-head-dim", "8"}, "--v-head-dim 8: the tutorial's block splits hidden_size over its heads", "tutorial"},
      {{"q-lora-rank", "0"}, "--q-lora-rank 0: the tutorial's block compresses its query", "tutorial"},
      {{"variant", "mha"}, "--variant mha: the tutorial's block is mla only", "tutorial"},
      {{"variant", "tpa"}, "--variant tpa: variant tpa is not built yet"},
      {{"variant", "MLA"}, "--variant MLA: variant MLA is not known; there are mla, mha, gqa, mqa"},
      {{"attention", "absorbed"},
       "--attention absorbed: variant gqa has no such path; it has uncached, expanded",
       "llama-3-8b"},
      {{"attention", "folded"}, "--attention folded: attention folded is not known"},
      {{"cache-dtype", "int4"}, "--cache-dtype int4: cache-dtype int4 is not known"},
      {{"cache-dtype", "fp64"}, "is not known; there are fp32, fp16, bf16, fp8, int8"},
      {{"weights-dtype", "int4"},
       "--weights-dtype int4: weights-dtype int4 is not known; there are stored, bf16, int8, fp32"},
      {{"weights-dtype", "q4"}, "--weights-dtype q4: weights-dtype q4 is not known"},
      {{"backend", "tpu"}, "--backend tpu: is not known; there are cpu, cuda"},
      {{"isa", "sse"}, "--isa sse: is not known; there are portable, avx2, avx512, avx512bf16"},
      {{"threads", "1025"}, "--threads 1025: must be"},
      {{"seed", "-1"}, "--seed -1: must be a whole number from 0 to 18446744073709551615"},
      {{"seed", "18446744073709551616"}, "--seed 18446744073709551616: must be"},
      {{"temperature", "-0.1"}, "--temperature -0.1: must be a number from 0 to 100"},
      {{"temperature", "nan"}, "--temperature nan: must be"},
      {{"temperature", "hot"}, "--temperature hot: must be"},
      {{"top-k", "-1"}, "--top-k -1: must be"},
      {{"top-p", "0"}, "--top-p 0: must be a number above 0 and at most 1"},
      {{"top-p", "1.5"}, "--top-p 1.5: must be"},
      {{"prompt", "a\xff"}, "must be UTF-8, which byte 1 is not"},
      {{"colour", "red"}, "setting colour is not known"},
      {{"heads", "1\n2"}, "--heads 1\\n2: must be"},
  };
  for (const Row& row : table) {
    const Experiment start = row.preset ? preset(row.preset) : default_experiment();
    const auto changed = apply(start, row.setting);
    ASSERT_FALSE(changed) << row.message;
    EXPECT_NE(changed.error().message.find(row.message), std::string::npos)
        << changed.error().message << "\n  wants " << row.message;
    EXPECT_EQ(changed.error().message.find('\n'), std::string::npos);
  }
}

TEST(Settings, RopeTakesItsPartFromNope) {
  const AttentionSpec a = after(default_experiment(), {{"rope-dim", "48"}}).spec.attention;
  EXPECT_EQ(a.qk_rope_head_dim, 48);
  EXPECT_EQ(a.qk_nope_head_dim, 48);
  EXPECT_EQ(a.v_head_dim, 64);
  EXPECT_EQ(after(default_experiment(), {{"rope-dim", "96"}}).spec.attention.qk_nope_head_dim, 0);
  EXPECT_EQ(after(default_experiment(), {{"nope-dim", "16"}}).spec.attention.qk_rope_head_dim, 32);
}

TEST(Settings, GroupedHeadsKeepKeysAndValuesOfOneSize) {
  const Experiment gqa = preset("llama-3-8b");
  const AttentionSpec wide = after(gqa, {{"v-head-dim", "96"}}).spec.attention;
  EXPECT_EQ(wide.qk_rope_head_dim, 96);  // fully rotated stays so
  EXPECT_EQ(wide.qk_nope_head_dim, 0);
  const AttentionSpec split = after(gqa, {{"rope-dim", "32"}, {"v-head-dim", "64"}}).spec.attention;
  EXPECT_EQ(split.qk_rope_head_dim, 32);
  EXPECT_EQ(split.qk_nope_head_dim, 32);
  EXPECT_EQ(after(gqa, {{"nope-dim", "32"}}).spec.attention.v_head_dim, 160);
}

TEST(Settings, HeadsBringTheirGroups) {
  const auto groups = [](std::string_view name, const char* heads) {
    return after(preset(name), {{"heads", heads}}).spec.attention.num_key_value_heads;
  };
  EXPECT_EQ(groups("llama-3-8b", "16"), 8);
  EXPECT_EQ(groups("llama-3-8b", "12"), 6);
  EXPECT_EQ(groups("llama-3-8b", "7"), 7);
  EXPECT_EQ(groups("llama-2-7b", "9"), 9);
  EXPECT_EQ(groups("deepseek-v2", "9"), 9);
  EXPECT_EQ(after(preset("llama-3-8b"), {{"variant", "mqa"}, {"heads", "9"}}).spec.attention.num_key_value_heads, 1);
}

TEST(Settings, VariantBringsItsPath) {
  const auto path = [](const Experiment& start, const char* variant) { return after(start, {{"variant", variant}}).path; };
  EXPECT_EQ(path(default_experiment(), "mha"), AttentionPath::expanded);
  EXPECT_EQ(path(preset("llama-3-8b"), "mla"), AttentionPath::absorbed);
  EXPECT_EQ(path(preset("llama-3-8b"), "mqa"), AttentionPath::expanded);
  const Experiment uncached = after(default_experiment(), {{"attention", "uncached"}});
  EXPECT_EQ(path(uncached, "gqa"), AttentionPath::uncached);
  EXPECT_EQ(path(after(uncached, {{"variant", "gqa"}}), "mla"), AttentionPath::uncached);
}

TEST(Settings, TutorialsBlockFollowsItself) {
  const Experiment toy = after(preset("tutorial"), {{"kv-lora-rank", "16"}, {"hidden-size", "96"}, {"heads", "12"}});
  EXPECT_EQ(toy.spec.attention.qk_nope_head_dim, 16);
  EXPECT_EQ(toy.spec.attention.v_head_dim, 8);
  EXPECT_EQ(toy.spec.intermediate_size, 384);
  EXPECT_TRUE(validate(toy)) << validate(toy).error().message;
  EXPECT_FALSE(validate(after(preset("tutorial"), {{"heads", "100"}})));
}

TEST(Settings, LayersOfAPresetRunButDoNotChangeIt) {
  const Experiment v3 = after(preset("deepseek-v3"), {{"layers", "4"}});
  EXPECT_EQ(v3.layers, 4);
  EXPECT_EQ(v3.spec.num_hidden_layers, 61);
  const Experiment own = after(default_experiment(), {{"layers", "4"}});
  EXPECT_EQ(own.layers, 4);
  EXPECT_EQ(own.spec.num_hidden_layers, 4);
}

TEST(Settings, TheDecoderBlocksFeedForwardFollowsItsHiddenSize) {
  EXPECT_EQ(after(default_experiment(), {{"hidden-size", "1024"}}).spec.intermediate_size, 2816);
  EXPECT_EQ(after(default_experiment(), {{"hidden-size", "1024"}, {"hidden-size", "512"}}), default_experiment());
  EXPECT_EQ(after(preset("llama-3-8b"), {{"hidden-size", "1024"}}).spec.intermediate_size, 0);
}

TEST(Settings, ACheckpointFixesItsDimensions) {
  Experiment loaded = default_experiment();
  loaded.model = "some/folder";
  const auto changed = apply(loaded, {"kv-lora-rank", "8"});
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().message, "--kv-lora-rank 8: the checkpoint some/folder fixes its dimensions");
  EXPECT_TRUE(apply(loaded, {"attention", "expanded"}));
  EXPECT_TRUE(apply(loaded, {"kv-lora-rank", "96"}));  // unchanged
}

TEST(Settings, AnyChainOfThemIsValidOrRefused) {
  std::mt19937 random(9);
  int valid = 0;
  for (int i = 0; i < 500; ++i) {
    Experiment experiment = random_experiment(random);
    for (int change = 0; change < 8; ++change) {
      const auto& names = setting_names();
      const Setting setting{std::string(names[random() % names.size()]), std::to_string(random() % (1 << random() % 14))};
      const auto changed = apply(experiment, setting);
      if (changed) experiment = *changed;
    }
    const Status status = validate(experiment);
    valid += bool(status);
    EXPECT_NE(bool(status), !status.error().message.empty());
    const auto read = experiment_from_json(to_json(experiment), "x");
    EXPECT_EQ(bool(read), bool(status));
  }
  EXPECT_GT(valid, 50);
}

TEST(ApplyAll, OrderOfTheListDoesNotMatter) {
  std::vector<Setting> settings{{"nope-dim", "64"}, {"rope-dim", "64"},    {"kv-heads", "3"}, {"attention", "uncached"},
                                {"heads", "12"},    {"v-head-dim", "128"}, {"variant", "gqa"}};
  const auto forward = apply_all(default_experiment(), settings);
  std::reverse(settings.begin(), settings.end());
  const auto backward = apply_all(default_experiment(), settings);
  ASSERT_TRUE(forward && backward);
  EXPECT_EQ(*forward, *backward);
  const AttentionSpec& a = forward->spec.attention;
  EXPECT_EQ(a.qk_nope_head_dim, 64);
  EXPECT_EQ(a.qk_rope_head_dim, 64);
  EXPECT_EQ(a.num_key_value_heads, 3);
  EXPECT_TRUE(validate(*forward));
}

TEST(ApplyAll, TheLastOfANameWins) {
  const auto last = apply_all(default_experiment(), {{"heads", "4"}, {"batch", "2"}, {"heads", "6"}});
  ASSERT_TRUE(last) << last.error().message;
  EXPECT_EQ(last->spec.attention.num_attention_heads, 6);
  EXPECT_EQ(last->batch, 2);
}

TEST(ApplyAll, NamesASettingThatTheOthersContradict) {
  const auto both = apply_all(preset("llama-3-8b"), {{"v-head-dim", "128"}, {"rope-dim", "32"}, {"nope-dim", "32"}});
  ASSERT_FALSE(both);
  EXPECT_EQ(both.error().message, "--v-head-dim 128: the other settings given make it 64");
  EXPECT_FALSE(apply_all(default_experiment(), {{"colour", "red"}}));
}

}  // namespace
}  // namespace mla
