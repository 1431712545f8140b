// The rank lens as a setting: an experiment under it is a run like any other.
#include <gtest/gtest.h>

#include "core/analysis/memory.h"
#include "core/analysis/quality.h"
#include "core/analysis/rank_lens.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "tests/core/model/golden_run.h"

namespace mla {
namespace {

Experiment fairy_tales() { return *experiment_of_model(std::string(kFairyTales)); }

Experiment with(const Experiment& experiment, const std::string& name, const std::string& value) {
  const auto changed = apply(experiment, {name, value});
  EXPECT_TRUE(changed) << changed.error().message;
  return *changed;
}

TEST(LensSetting, CutsTheLatentAndItsCache) {
  const Experiment whole = fairy_tales(), cut = with(whole, "lens-rank", "8");
  EXPECT_EQ(value_of(cut, "lens-rank"), "8");
  EXPECT_EQ(value_of(cut, "kv-lora-rank"), "64");  // what it was trained with
  EXPECT_EQ(cut.spec.attention.kv_lora_rank, 8);
  EXPECT_EQ(cache_values_per_token(cut.spec, cut.path), 8 + 16);
  EXPECT_TRUE(validate(cut));
  EXPECT_EQ(with(cut, "lens-rank", "0"), whole);
  EXPECT_EQ(with(with(cut, "lens-rank", "16"), "lens-rank", "8"), cut);
  EXPECT_NE(describe(cut).find("c 8 of 64"), std::string::npos) << describe(cut);
  EXPECT_NE(describe_difference(whole, cut).find("lens rank 0 → 8"), std::string::npos) << describe_difference(whole, cut);
}

TEST(LensSetting, StaysWhileTheElasticLatentMoves) {
  const Experiment cut = with(fairy_tales(), "lens-rank", "8");
  const Experiment smaller = with(cut, "kv-lora-rank", "16"), smallest = with(cut, "kv-lora-rank", "4");
  EXPECT_EQ(value_of(smaller, "kv-lora-rank"), "16");
  EXPECT_EQ(value_of(smaller, "lens-rank"), "8");
  EXPECT_EQ(value_of(smallest, "lens-rank"), "4");
  EXPECT_EQ(smaller, with(with(fairy_tales(), "kv-lora-rank", "16"), "lens-rank", "8"));
}

TEST(LensSetting, IsRefusedByName) {
  const auto message = [](const Experiment& e, const std::string& value) {
    const auto changed = apply(e, {"lens-rank", value});
    return changed ? std::string("taken") : changed.error().message;
  };
  EXPECT_EQ(message(fairy_tales(), "65"), "--lens-rank 65: must be from 1 to 64, or 0 for no lens");
  EXPECT_NE(message(fairy_tales(), "-1").find("must be a whole number from 0"), std::string::npos);
  EXPECT_NE(message(default_experiment(), "8").find("--model opens some"), std::string::npos);
  EXPECT_EQ(message(default_experiment(), "0"), "taken");
  Experiment shape = default_experiment();
  shape.spec = with_variant(shape.spec, Variant::mha);
  shape.path = AttentionPath::expanded;
  shape.spec.attention.joint_rank = 4;
  EXPECT_NE(validate(shape).error().message.find("there is no model"), std::string::npos);
  Experiment latent = default_experiment();
  latent.spec.attention.joint_rank = 4;
  EXPECT_NE(validate(latent).error().message.find("joint_rank"), std::string::npos);
}

TEST(LensSetting, SurvivesAFile) {
  const Experiment cut = with(fairy_tales(), "lens-rank", "8");
  EXPECT_EQ(*experiment_from_json(to_json(cut), "file"), cut);
}

TEST(LensSetting, LoadsWhatTruncationMakesAndDecomposesOnce) {
  const Experiment cut = with(fairy_tales(), "lens-rank", "8");
  const auto first = load(cut);
  ASSERT_TRUE(first) << first.error().message;
  ASSERT_TRUE(first->weights->lens);
  const auto second = load(with(cut, "lens-rank", "3"), first->weights.get());
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->weights->lens->factors, first->weights->lens->factors);
  EXPECT_EQ(second->weights->embed_tokens.values, first->weights->embed_tokens.values);
  const auto expected = truncate_latent(*second->weights->lens->whole, *second->weights->lens->factors, 3);
  ASSERT_TRUE(expected);
  for (std::size_t l = 0; l < expected->weights->layers.size(); ++l)
    for (const auto member : {&AttentionWeights::kv_latent_proj, &AttentionWeights::kv_a_layernorm}) {
      const Weight& got = second->weights->layers[l].attention.*member;
      const Weight& want = expected->weights->layers[l].attention.*member;
      EXPECT_TRUE(std::ranges::equal(got.values->span(), want.values->span())) << l;
    }
  const auto off = load(fairy_tales(), second->weights.get());
  ASSERT_TRUE(off);
  EXPECT_FALSE(off->weights->lens);
  EXPECT_EQ(off->weights->embed_tokens.values, first->weights->embed_tokens.values);
}

TEST(LensSetting, AtFullRankNothingIsLostAndBelowIt) {
  const std::string text = held_out_excerpt()->substr(0, 500);
  const auto bits = [&](const Experiment& e) {
    const auto model = load(e);
    const auto quality = measure_quality(*model, *make_cpu_backend(), text);
    return quality->bits_per_byte();
  };
  const double whole = bits(fairy_tales());
  EXPECT_NEAR(bits(with(fairy_tales(), "lens-rank", "64")), whole, 1e-4);
  EXPECT_GT(bits(with(fairy_tales(), "lens-rank", "2")), whole + 0.05);
}

TEST(LensSetting, CutsGroupedModelsToo) {
  const auto opened = experiment_of_model(golden_folder("llama-tied"));
  ASSERT_TRUE(opened) << opened.error().message;
  const int full = full_lens_rank(opened->spec.attention);
  const Experiment cut = with(*opened, "lens-rank", std::to_string(full));
  EXPECT_EQ(cache_values_per_token(cut.spec, cut.path), cache_values_per_token(opened->spec, opened->path));
  const auto model = load(cut);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->weights->lens->factors->full_rank(), full);
  EXPECT_EQ(*experiment_from_json(to_json(cut), "file"), cut);
}

}  // namespace
}  // namespace mla
