#include "core/analysis/crossover.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/core/engine/engine_run.h"

namespace mla {
namespace {

constexpr Ceilings kMachine{.read_gb_s = 20, .fp32_gflop_s = 100, .threads = 1};

Experiment small() {
  std::mt19937 rng(5);
  Experiment e = random_small(Variant::mla, rng);
  e.context = 40;
  e.batch = 2;
  return e;
}

CrossoverLimits quick() {
  CrossoverLimits limits;
  limits.first_tokens = 8;
  limits.most_prompt = 16;
  limits.batch_tokens = 20;
  limits.batches = {1, 3};
  limits.enough_ms = 1;
  limits.measure_ceilings = false;
  return limits;
}

Result<Crossover> measure(const Experiment& e, const CrossoverLimits& limits, const CrossoverProgress& report = {},
                          std::stop_token stop = {}) {
  const auto model = load(e);
  EXPECT_TRUE(model) << model.error().message;
  return measure_crossover(e, model->weights, cpu(), limits, kMachine, report, std::move(stop));
}

std::set<int> sizes(const CrossoverSweep& sweep, AttentionPath path) {
  std::set<int> sizes;
  for (const CrossoverPoint& point : sweep.points)
    if (point.path == path) sizes.insert(point.x);
  return sizes;
}

void expect_all_measured(const Crossover& crossover) {
  for (const AttentionPath path : kCrossoverPaths) {
    EXPECT_EQ(sizes(crossover.sweep(SweepKind::decode), path), (std::set<int>{8, 16, 40})) << name_of(path);
    EXPECT_EQ(sizes(crossover.sweep(SweepKind::prefill), path), (std::set<int>{4, 8, 16})) << name_of(path);
    EXPECT_EQ(sizes(crossover.sweep(SweepKind::batch), path), (std::set<int>{1, 3})) << name_of(path);
  }
  for (const CrossoverSweep& sweep : crossover.sweeps) {
    EXPECT_FALSE(sweep.answer.empty());
    EXPECT_EQ(sweep.note, "");
    for (const CrossoverPoint& point : sweep.points) {
      EXPECT_GT(point.measured_ms, 0);
      EXPECT_GT(point.modelled_ms, 0);
      EXPECT_GE(point.steps, 4);
      EXPECT_DOUBLE_EQ(point.residual(), point.measured_ms / point.modelled_ms);
    }
  }
}

TEST(Crossover, MeasuresEveryPathAtEverySizeOfEverySweep) {
  const auto crossover = measure(small(), quick());
  ASSERT_TRUE(crossover) << crossover.error().message;
  EXPECT_EQ(crossover->sweep(SweepKind::decode).batch, 2);
  EXPECT_EQ(crossover->sweep(SweepKind::batch).tokens, 20);
  expect_all_measured(*crossover);
}

TEST(Crossover, TheToyBlockHasThreePathsToo) {
  Experiment e = toy_experiment();
  e.context = 40;
  const auto crossover = measure(e, quick());
  ASSERT_TRUE(crossover) << crossover.error().message;
  expect_all_measured(*crossover);
}

TEST(Crossover, WhatIsNoAttentionIsNotModelled) {
  Experiment with = small();
  with.spec.block = BlockKind::decoder;
  with.spec.intermediate_size = 40;
  with.spec.moe.reset();
  Experiment without = with;
  without.spec.block = BlockKind::attention;
  without.spec.intermediate_size = 0;
  without.spec.vocab_size = 0;
  const auto a = measure(with, quick());
  ASSERT_TRUE(a) << a.error().message;
  const CrossoverPoint point = a->sweep(SweepKind::decode).points.front();
  without.path = point.path;
  EXPECT_DOUBLE_EQ(point.modelled_ms, roofline_ms(decode_cost(without, point.x), kMachine));
  const CrossoverPoint prompt = a->sweep(SweepKind::prefill).points.front();
  EXPECT_DOUBLE_EQ(prompt.modelled_ms, roofline_ms(prefill_cost(without, prompt.x, true), kMachine));
}

TEST(Crossover, RefusesWhatHasOneWayToReadItsCache) {
  for (const Variant variant : {Variant::mha, Variant::gqa, Variant::mqa}) {
    std::mt19937 rng(3);
    const auto refused = measure(random_small(variant, rng), quick());
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message.find("one way to read them; only MLA and the toy block have three"), std::string::npos)
        << refused.error().message;
  }
}

TEST(Crossover, RefusesWhatDoesNotFitBeforeItAllocatesAnything) {
  Experiment e = small();
  const auto model = load(e);
  ASSERT_TRUE(model);
  e.batch = 1 << 28;
  const auto refused = measure_crossover(e, model->weights, cpu(), quick(), kMachine);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("are free; lower context, batch or layers"), std::string::npos)
      << refused.error().message;
}

TEST(Crossover, APathEndsWhereItsStepsWouldTakeTooLong) {
  CrossoverLimits limits = quick();
  limits.longest_ms = 0;
  const auto crossover = measure(small(), limits);
  ASSERT_TRUE(crossover) << crossover.error().message;
  for (const CrossoverSweep& sweep : crossover->sweeps) {
    EXPECT_TRUE(sweep.points.empty());
    EXPECT_EQ(sweep.answer, "");
    EXPECT_NE(sweep.note.find("re-expanded ends before "), std::string::npos) << sweep.note;
  }
}

TEST(Crossover, ReportsWhatThereIsAndCanBeCancelled) {
  std::vector<double> fractions;
  std::vector<std::size_t> counts;
  const auto note = [&](const Crossover& so_far, double fraction) {
    fractions.push_back(fraction);
    std::size_t count = 0;
    for (const CrossoverSweep& sweep : so_far.sweeps) count += sweep.points.size();
    counts.push_back(count);
  };
  ASSERT_TRUE(measure(small(), quick(), note));
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_NEAR(fractions.back(), 1, 1e-9);
  EXPECT_EQ(counts.front(), 3u);
  EXPECT_EQ(counts.back(), 3u * 8u);

  std::stop_source stop;
  int reports = 0;
  const auto cancelled = measure(
      small(), quick(),
      [&](const Crossover&, double) {
        ++reports;
        stop.request_stop();
      },
      stop.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().message, "cancelled");
  EXPECT_EQ(reports, 1);
}

/// A decode sweep with made-up times: absorbed a fixed 1 ms, expanded x / 256 ms, re-expanded always 10 ms.
Crossover made_up() {
  Crossover crossover{small(), kMachine, {}};
  for (const SweepKind kind : kSweepKinds) crossover.sweeps[std::size_t(kind)].kind = kind;
  CrossoverSweep& decode = crossover.sweeps.front();
  decode.batch = 1;
  for (const int x : {64, 128, 256, 512, 1024}) {
    decode.points.push_back({AttentionPath::absorbed, x, 8, 1, 0});
    decode.points.push_back({AttentionPath::expanded, x, 8, x / 256.0, 0});
    if (x < 1024) decode.points.push_back({AttentionPath::reexpanded, x, 8, 10, 0});
  }
  conclude(crossover);
  return crossover;
}

TEST(Crossover, MarksWhereTheOrderOfTwoPathsChangesAndAnswers) {
  const Crossover crossover = made_up();
  const CrossoverSweep& decode = crossover.sweep(SweepKind::decode);
  ASSERT_EQ(decode.measured.size(), 1u);
  EXPECT_NEAR(decode.measured[0].x, 256, 1e-6);
  EXPECT_EQ(decode.measured[0].before, AttentionPath::expanded);
  EXPECT_EQ(decode.measured[0].after, AttentionPath::absorbed);
  EXPECT_TRUE(decode.answer.starts_with("Absorbed decode is faster than expanded from 256 cached tokens on (measured); "))
      << decode.answer;
  EXPECT_NE(decode.answer.find(" It is faster than re-expanded throughout; "), std::string::npos) << decode.answer;
  EXPECT_EQ(crossover.sweep(SweepKind::prefill).answer, "");
}

TEST(Crossover, IsTheSameWhateverItDoesNotDependOn) {
  Experiment e = small(), other = e;
  other.path = AttentionPath::expanded;
  other.prompt = "Another";
  other.prefill = 7;
  other.sampling.temperature = 2;
  EXPECT_EQ(crossover_key(e), crossover_key(other));
  other.context = 41;
  EXPECT_NE(crossover_key(e), crossover_key(other));
  other = e;
  other.threads = 2 * e.threads;
  EXPECT_NE(crossover_key(e), crossover_key(other));
}

}  // namespace
}  // namespace mla
