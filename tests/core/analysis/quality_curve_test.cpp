#include "core/analysis/quality_curve.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "core/analysis/memory.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

Experiment fairy_tales() { return *experiment_of_model(std::string(kFairyTales)); }

std::vector<QualityPoint> of_model(const std::vector<QualityPoint>& points, const std::string& model) {
  std::vector<QualityPoint> own;
  std::copy_if(points.begin(), points.end(), std::back_inserter(own),
               [&](const auto& p) { return p.experiment.model == model; });
  return own;
}

TEST(QualityCurve, HasEveryOctaveOfAnElasticLatentAndThePresentOne) {
  Experiment experiment = *apply(fairy_tales(), {"kv-lora-rank", "24"});
  experiment = *apply(experiment, {"heads", "3"});
  experiment.cache_dtype = CacheDtype::bf16;
  const auto points = of_model(plan_quality_curve(experiment), experiment.model);
  std::vector<int> latents;
  for (const QualityPoint& point : points) {
    const AttentionSpec& a = point.experiment.spec.attention;
    latents.push_back(a.kv_lora_rank);
    EXPECT_EQ(a.num_attention_heads, 3);
    EXPECT_EQ(point.present, a.kv_lora_rank == 24);
    EXPECT_EQ(point.bytes_per_token, 4 * 2 * (a.kv_lora_rank + 16));  // layers, bf16, latent and RoPE key
    EXPECT_EQ(point.bits_per_byte, 0);
  }
  EXPECT_EQ(latents, (std::vector{64, 32, 24, 16, 8, 4, 2, 1}));
}

TEST(QualityCurve, HasThePlainModelsThatComeWithTheProgramInTheSamePrecision) {
  Experiment experiment = fairy_tales();
  experiment.cache_dtype = CacheDtype::fp16;
  const auto points = plan_quality_curve(experiment);
  for (const std::string& model : bundled_models()) {
    const auto own = of_model(points, model);
    ASSERT_FALSE(own.empty()) << model;
    for (const QualityPoint& point : own) EXPECT_EQ(point.experiment.cache_dtype, CacheDtype::fp16);
    if (model != kFairyTales) {
      EXPECT_EQ(own.size(), 1u) << model;
    }
  }
}

TEST(QualityCurve, RandomWeightsHaveNone) { EXPECT_TRUE(plan_quality_curve(default_experiment()).empty()); }

}  // namespace
}  // namespace mla
