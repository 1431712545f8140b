#include "core/analysis/cost.h"

#include <gtest/gtest.h>

#include "core/tensor/kernels.h"

namespace mla {
namespace {

constexpr int kCached = 5000;

std::int64_t pair_operations(const std::vector<Setting>& settings) {
  const auto experiment = apply_all(default_experiment(), settings);
  EXPECT_TRUE(experiment) << experiment.error().message;
  const StepCost cost = decode_cost(*experiment, kCached);
  return cost.bf16_operations[int(Stage::scores)] + cost.bf16_operations[int(Stage::values)];
}

TEST(Cost, CountsBf16ProductsWhereTheEngineMakesThem) {
  const bool has = available_kernels().back()->bf16 != nullptr;
  const std::int64_t layers = 2, heads = 8, c = 96, r = 32, keys = kCached + 1;
  EXPECT_EQ(pair_operations({{"cache-dtype", "bf16"}}), has ? layers * 2 * heads * keys * (c + r + c) : 0);
  EXPECT_EQ(pair_operations({{"cache-dtype", "bf16"}, {"variant", "gqa"}, {"kv-heads", "1"}}) > 0, has);
  EXPECT_EQ(pair_operations({{"cache-dtype", "bf16"}, {"variant", "mqa"}}) > 0, has);
  const std::vector<std::vector<Setting>> none{{{"cache-dtype", "fp32"}},
                                               {{"cache-dtype", "fp16"}},
                                               {{"cache-dtype", "bf16"}, {"isa", "portable"}},
                                               {{"cache-dtype", "bf16"}, {"kv-lora-rank", "95"}},
                                               {{"cache-dtype", "bf16"}, {"heads", "3"}},
                                               {{"cache-dtype", "bf16"}, {"attention", "expanded"}},
                                               {{"cache-dtype", "bf16"}, {"variant", "gqa"}, {"kv-heads", "2"}}};
  for (const auto& settings : none) EXPECT_EQ(pair_operations(settings), 0) << settings.back().name;
}

TEST(Cost, TheRooflineTakesEachOperationAtItsOwnRate) {
  StepCost cost;
  Work& scores = cost.stages[int(Stage::scores)];
  scores.operations = 3'000'000'000;
  scores.cache_read_bytes = 1'000'000;
  Ceilings ceilings;
  ceilings.read_gb_s = 50;
  ceilings.fp32_gflop_s = 100;
  EXPECT_DOUBLE_EQ(roofline_ms(cost, ceilings), 30);
  cost.bf16_operations[int(Stage::scores)] = 2'000'000'000;
  EXPECT_DOUBLE_EQ(roofline_ms(cost, ceilings), 30) << "a machine without such products";
  ceilings.bf16_gflop_s = 200;
  EXPECT_DOUBLE_EQ(roofline_ms(cost, ceilings), 20);
  scores.cache_read_bytes = 2'000'000'000;
  EXPECT_DOUBLE_EQ(roofline_ms(cost, ceilings), 40) << "bound by memory";
}

TEST(Cost, TheRooflineIsTheSumOfItsStages) {
  const StepCost cost = prefill_cost(default_experiment(), 300);
  const Ceilings ceilings{.read_gb_s = 20, .fp32_gflop_s = 100};
  const StageTimes ms = roofline_stages(cost, ceilings);
  for (const Stage stage : {Stage::query, Stage::append, Stage::scores, Stage::values, Stage::output, Stage::feed_forward})
    EXPECT_GT(ms[int(stage)], 0) << name_of(stage);
  double sum = 0;
  for (const double each : ms) sum += each;
  EXPECT_DOUBLE_EQ(roofline_ms(cost, ceilings), sum);
  EXPECT_EQ(roofline_ms(cost, {}), 0);
}

TEST(Cost, OfTwoMeasurementsOfAMachineTheBetterFiguresCount) {
  const Ceilings a{.read_gb_s = 20, .fp32_gflop_s = 100}, b{.read_gb_s = 10, .fp32_gflop_s = 200, .threads = 2};
  const Ceilings best = higher_of(a, b);
  EXPECT_EQ(best.read_gb_s, 20);
  EXPECT_EQ(best.fp32_gflop_s, 200);
  EXPECT_EQ(best.threads, 2);
}

}  // namespace
}  // namespace mla
