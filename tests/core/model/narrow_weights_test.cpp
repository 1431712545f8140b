#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/analysis/memory.h"
#include "core/analysis/studies.h"
#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "core/spec/presets.h"

namespace mla {
namespace {

Experiment with(const Experiment& base, const std::vector<Setting>& settings) {
  const auto experiment = apply_all(base, settings);
  EXPECT_TRUE(experiment) << experiment.error().message;
  return *experiment;
}

Experiment fairy_tales() {
  const auto experiment = experiment_of_model("fairy-tales");
  EXPECT_TRUE(experiment) << experiment.error().message;
  return *experiment;
}

/// Values of a weight as fp32.
std::vector<float> values_of(const Weight& weight) {
  std::vector<float> out(std::size_t(weight.rows) * weight.cols);
  const float* from = weight.read(*available_kernels().back(), 0, weight.rows, out.data());
  return {from, from + out.size()};
}

TEST(NarrowWeights, HoldWhatTheFormulaSaysAndRoundWhatWasThere) {
  for (const Experiment& base :
       {default_experiment(), with(experiment_from(*find_preset("tutorial")), {{"hidden-size", "128"}}), fairy_tales()}) {
    const auto wide = load(base);
    ASSERT_TRUE(wide) << wide.error().message;
    for (const char* dtype : {"bf16", "int8"}) {
      const Experiment e = with(base, {{"weights-dtype", dtype}});
      const auto narrow = load(e);
      ASSERT_TRUE(narrow) << narrow.error().message;
      EXPECT_EQ(narrow->weights->bytes(), parameter_bytes(e.spec, e.layers, e.weights_dtype));
      EXPECT_LT(narrow->weights->bytes(), wide->weights->bytes() * (e.weights_dtype == WeightsDtype::bf16 ? 0.52 : 0.32));
      const AttentionWeights &a = wide->weights->layers[0].attention, &b = narrow->weights->layers[0].attention;
      const std::vector<float> exact = values_of(a.o_proj.weight), held = values_of(b.o_proj.weight);
      double apart = 0, size = 0;
      for (std::size_t i = 0; i < exact.size(); ++i) {
        apart += (held[i] - exact[i]) * double(held[i] - exact[i]);
        size += exact[i] * double(exact[i]);
      }
      EXPECT_LT(std::sqrt(apart / size), e.weights_dtype == WeightsDtype::bf16 ? 0.003 : 0.009);
      EXPECT_EQ(values_of(wide->weights->layers[0].input_norm), values_of(narrow->weights->layers[0].input_norm));
      ASSERT_TRUE(convert_weights(*narrow->weights));
      EXPECT_EQ(narrow->weights->held_bytes(), narrow->weights->bytes());
    }
  }
}

TEST(NarrowWeights, AreSharedWithTheLastRunInTheSameTypeOnly) {
  for (const Experiment& base : {default_experiment(), fairy_tales()}) {
    const Experiment e = with(base, {{"weights-dtype", "int8"}});
    const auto first = load(e);
    ASSERT_TRUE(first);
    ASSERT_TRUE(convert_weights(*first->weights));
    const auto again = load(with(e, {{"cache-dtype", "bf16"}}), first->weights.get());
    ASSERT_TRUE(again);
    const auto& weight = [](const LoadedModel& model) -> const Weight& { return model.weights->layers[1].gate_proj.weight; };
    EXPECT_TRUE(weight(*again).same_as(weight(*first)));
    const auto other = load(with(e, {{"weights-dtype", "bf16"}}), first->weights.get());
    ASSERT_TRUE(other);
    EXPECT_FALSE(weight(*other).same_as(weight(*first)));
    EXPECT_EQ(weight(*other).dtype, WeightsDtype::bf16);
    const auto wide = load(base, first->weights.get());
    ASSERT_TRUE(wide);
    EXPECT_TRUE(weight(*wide).values && !weight(*wide).narrow);
  }
}

TEST(NarrowWeights, ATiedHeadIsHeldOnce) {
  const auto model = load(with(fairy_tales(), {{"weights-dtype", "bf16"}}));
  ASSERT_TRUE(model);
  if (!model->experiment.spec.tie_word_embeddings) GTEST_SKIP() << "the bundled model's head is its own";
  EXPECT_TRUE(model->weights->lm_head.same_as(model->weights->embed_tokens));
}

TEST(NarrowWeights, SmallerSizesOfAnElasticModelAreRoundedToo) {
  const Experiment small = with(fairy_tales(), {{"weights-dtype", "int8"}, {"kv-lora-rank", "16"}, {"heads", "4"}});
  const auto model = load(small);
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_EQ(model->weights->bytes(), parameter_bytes(small.spec, small.layers, small.weights_dtype));
  // Another size with parts of the same name must not take them over.
  const auto other = load(with(small, {{"heads", "3"}}), model->weights.get());
  ASSERT_TRUE(other);
  const auto fresh = load(with(small, {{"heads", "3"}}));
  EXPECT_EQ(values_of(other->weights->layers[0].attention.q_proj.weight),
            values_of(fresh->weights->layers[0].attention.q_proj.weight));
}

TEST(NarrowWeights, ARoutersMatrixStaysFp32) {
  Experiment e = default_experiment();
  e.spec.moe = MoeSpec{.n_routed_experts = 4, .num_experts_per_tok = 2, .moe_intermediate_size = 32};
  e.weights_dtype = WeightsDtype::int8;
  const auto model = load(e);
  ASSERT_TRUE(model) << model.error().message;
  const MoeWeights& moe = model->weights->layers[0].moe;
  EXPECT_FALSE(moe.gate.weight.narrow);
  EXPECT_TRUE(moe.experts[3].down_proj.weight.narrow);
  EXPECT_EQ(model->weights->bytes(), parameter_bytes(e.spec, e.layers, e.weights_dtype));
}

TEST(NarrowWeights, StudiesThatDecomposeWeightsReadThemAsStored) {
  const auto backend = make_cpu_backend();
  const auto narrow = load(with(fairy_tales(), {{"weights-dtype", "int8"}, {"layers", "1"}}));
  const auto stored = load(with(fairy_tales(), {{"layers", "1"}}));
  ASSERT_TRUE(narrow && stored);
  const StudyText text{{5, 6, 7, 8, 9, 10, 11, 12}, "some tokens"};
  const auto a = study_coupling(*narrow, text, *backend), b = study_coupling(*stored, text, *backend);
  ASSERT_TRUE(a && b);
  EXPECT_EQ(a->largest_coupled(), b->largest_coupled());
  EXPECT_TRUE(study_ranks(*narrow, text, *backend));
}

TEST(NarrowWeights, WhatIsNoNumberInTheInputStaysOne) {
  Experiment e = with(experiment_from(*find_preset("tutorial")), {{"hidden-size", "128"}, {"weights-dtype", "int8"}});
  const auto model = load(e);
  ASSERT_TRUE(model);
  const auto backend = make_cpu_backend();
  auto decoder = Decoder::create(e, *backend, model->weights);
  ASSERT_TRUE(decoder);
  (*decoder)->keep_outputs(true);
  const std::vector<float> bad(128, std::numeric_limits<float>::quiet_NaN());
  ASSERT_TRUE((*decoder)->prefill_hidden(bad, 1));
  for (const float x : (*decoder)->outputs()) EXPECT_TRUE(std::isnan(x));
}

}  // namespace
}  // namespace mla
