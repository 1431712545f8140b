#include "core/analysis/cache_error.h"

#include <gtest/gtest.h>

#include "core/spec/presets.h"

namespace mla {
namespace {

CacheError error_at(const std::vector<Setting>& settings, int tokens) {
  const Result<Experiment> experiment = apply_all(default_experiment(), settings);
  EXPECT_TRUE(experiment) << experiment.error().message;
  const auto model = load(*experiment);
  const auto backend = make_cpu_backend();
  std::vector<int> ids;
  for (int i = 0; i < tokens; ++i) ids.push_back(i * 7 % 256);
  const auto error = measure_cache_error(*model, ids, *backend);
  EXPECT_TRUE(error) << error.error().message;
  return *error;
}

TEST(CacheErrorTest, GrowsWithCoarserTypesAndIsNothingForFp32) {
  for (const std::string variant : {"mla", "gqa"}) {
    const auto at = [&](const char* dtype) { return error_at({{"variant", variant}, {"cache-dtype", dtype}}, 40); };
    const CacheError fp32 = at("fp32"), fp16 = at("fp16"), bf16 = at("bf16"), int8 = at("int8"), fp8 = at("fp8");
    EXPECT_EQ(fp32.attention_largest, 0);
    EXPECT_EQ(fp32.output_largest, 0);
    EXPECT_GT(fp16.attention_mean, 0);
    EXPECT_GT(bf16.attention_mean, fp16.attention_mean);
    EXPECT_GT(int8.attention_mean, fp16.attention_mean);
    EXPECT_GT(fp8.attention_mean, bf16.attention_mean);
    EXPECT_LT(fp8.attention_largest, 0.2);
    EXPECT_LT(fp8.output_mean, 0.2);
    for (const CacheError& error : {fp16, bf16, int8, fp8}) {
      EXPECT_EQ(error.tokens, 40);
      EXPECT_GE(error.attention_largest, error.attention_mean);
      EXPECT_GT(error.output_largest, error.output_mean);
      EXPECT_GT(error.output_mean, 0);
    }
  }
}

TEST(CacheErrorTest, ABlockWithoutAVocabularyIsFedVectors) {
  const auto experiment = apply_all(experiment_from(*find_preset("tutorial")),
                                    {{"hidden-size", "256"}, {"kv-lora-rank", "32"}, {"cache-dtype", "fp8"}});
  ASSERT_TRUE(experiment) << experiment.error().message;
  const auto model = load(*experiment);
  ASSERT_TRUE(model) << model.error().message;
  const auto backend = make_cpu_backend();
  const auto error = measure_cache_error(*model, std::vector<int>(8, -1), *backend);
  ASSERT_TRUE(error) << error.error().message;
  EXPECT_GT(error->output_mean, 1e-4);
  EXPECT_LT(error->output_mean, 0.1);
}

TEST(CacheErrorTest, CanBeCancelled) {
  const auto model = load(default_experiment());
  const auto backend = make_cpu_backend();
  std::stop_source source;
  source.request_stop();
  EXPECT_FALSE(measure_cache_error(*model, std::vector<int>(5, 1), *backend, {}, source.get_token()));
}

}  // namespace
}  // namespace mla
