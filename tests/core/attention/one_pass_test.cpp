#include "core/attention/one_pass.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/core/attention/attention_problem.h"

namespace mla {
namespace {

std::vector<float> in_one_pass(const AttentionProblem& p, const Kernels& kernels, int threads) {
  ThreadPool pool(threads);
  OnePassAttention kernel(kernels, pool);
  std::vector<float> out(std::size_t(p.batch()) * p.heads * p.layout().value);
  const StageSeconds times = kernel.run(p, out.data());
  EXPECT_GT(times.scores + times.softmax + times.values, 0);
  return out;
}

/// Queries and weights are rounded for some: to 8 bits, or to a 127th of the largest of their group.
double tolerance_of(Products products) {
  if (products == Products::fp32) return 1e-5;
  return products == Products::bf16 ? 8e-3 : 3e-2;
}

TEST(OnePass, EqualsTheThreeStagesOnEveryInstructionSet) {
  const std::vector<Case> cases{{4, 1, 0, 1},
                                {9, 33, 6, 64},
                                {16, 512, 64, 300},
                                {20, 7, 0, 65},
                                {40, 64, 16, 1000},
                                {63, 100, 2, 130},
                                {64, 128, 32, 4200},
                                {126, 31, 4, 77},
                                {128, 512, 64, 70},
                                {16, 48, 16, 150, 3},
                                {5, 24, 0, 20},
                                {16, 64, 64, 129, 1, CacheDtype::bf16},
                                {16, 512, 64, 1100, 1, CacheDtype::bf16},
                                {9, 1088, 32, 70, 2, CacheDtype::bf16},
                                {4, 32, 0, 131, 1, CacheDtype::bf16},
                                {20, 42, 6, 333, 2, CacheDtype::bf16},
                                {9, 33, 4, 70, 1, CacheDtype::bf16},
                                {128, 64, 16, 150, 1, CacheDtype::bf16, true},
                                {40, 48, 0, 64, 1, CacheDtype::bf16},
                                {12, 40, 8, 200, 2, CacheDtype::fp16},
                                {8, 32, 32, 500, 1, CacheDtype::fp32, true},
                                {32, 128, 0, 200, 1, CacheDtype::fp32, true, 32},
                                {2, 16, 8, 70, 2, CacheDtype::fp32, true, 2},
                                {9, 33, 6, 150, 1, CacheDtype::fp32, true, 3},
                                {24, 40, 4, 300, 1, CacheDtype::bf16, true, 6},
                                {20, 7, 3, 129, 3, CacheDtype::fp16, true, 20},
                                {64, 128, 64, 90, 1, CacheDtype::fp16, false, 8},
                                {16, 512, 64, 1100, 1, CacheDtype::fp8},
                                {20, 42, 6, 333, 2, CacheDtype::fp8},
                                {9, 33, 4, 70, 1, CacheDtype::fp8},
                                {128, 64, 16, 150, 1, CacheDtype::fp8, true},
                                {32, 128, 0, 200, 1, CacheDtype::fp8, true, 32},
                                {9, 35, 6, 150, 2, CacheDtype::fp8, true, 3},
                                {16, 512, 64, 1100, 1, CacheDtype::int8},
                                {16, 576, 0, 65, 1, CacheDtype::int8},
                                {40, 44, 12, 333, 2, CacheDtype::int8},
                                {126, 68, 4, 71, 1, CacheDtype::int8},
                                {9, 33, 4, 70, 1, CacheDtype::int8},
                                {128, 64, 16, 150, 1, CacheDtype::int8, true},
                                {32, 128, 0, 200, 1, CacheDtype::int8, true, 32},
                                {9, 35, 6, 150, 2, CacheDtype::int8, true, 3}};
  for (const Kernels* kernels : available_kernels())
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Problem p(cases[i], *kernels, unsigned(i));
      ASSERT_TRUE(OnePassAttention::handles(p.problem));
      const Products products =
          OnePassAttention::products(*kernels, p.problem.sequences.front().cache->format(), p.problem.layout());
      expect_near(in_one_pass(p.problem, *kernels, 2), in_three_stages(p.problem, *kernels), tolerance_of(products),
                  std::string(kernels->name) + ": " + text(cases[i]));
    }
}

TEST(OnePass, MultipliesWhatTheProcessorCanAsItIsStored) {
  for (const Kernels* kernels : available_kernels()) {
    const auto products = [&](const Case& c) {
      const Problem p(c, *kernels, 1);
      return OnePassAttention::products(*kernels, p.problem.sequences.front().cache->format(), p.problem.layout());
    };
    const bool has = kernels->bf16;
    EXPECT_EQ(products({16, 512, 64, 2}), Products::fp32);
    EXPECT_EQ(products({16, 512, 64, 2, 1, CacheDtype::fp16}), Products::fp32);
    EXPECT_EQ(products({16, 512, 64, 2, 1, CacheDtype::bf16}), has ? Products::bf16 : Products::fp32);
    EXPECT_EQ(products({16, 512, 64, 2, 1, CacheDtype::fp8}), has ? Products::bf16 : Products::fp32);
    EXPECT_EQ(products({16, 512, 64, 2, 1, CacheDtype::int8}), has ? Products::int8 : Products::fp32);
    EXPECT_EQ(products({16, 64, 16, 2, 1, CacheDtype::int8, true}), has ? Products::int8 : Products::fp32);
    EXPECT_EQ(products({16, 510, 64, 2, 1, CacheDtype::int8}), Products::fp32) << "not in fours";
    EXPECT_EQ(products({16, 64, 16, 2, 1, CacheDtype::int8, true, 4}), Products::fp32) << "several key-value heads";
  }
}

// The row comes from the call that made the output, which does not change by it.
TEST(OnePass, KeepsTheRowItAttendedTo) {
  const std::vector<Case> cases{{16, 96, 16, 700, 2},
                                {12, 40, 0, 90, 1, CacheDtype::bf16},
                                {13, 64, 32, 195, 2, CacheDtype::bf16},
                                {20, 64, 8, 333, 2, CacheDtype::int8},
                                {16, 128, 8, 130, 1, CacheDtype::fp8},
                                {24, 40, 4, 300, 1, CacheDtype::fp32, true, 6}};
  for (const Kernels* kernels : available_kernels())
    for (const Case& c : cases) {
      const Problem p(c, *kernels, 5);
      ThreadPool pool(2);
      OnePassAttention one_pass(*kernels, pool);
      AttentionKernel plain(*kernels, pool);
      std::vector<float> out(std::size_t(c.batch) * c.heads * c.latent);
      AttentionRow row;
      one_pass.run(p.problem, out.data(), &row);
      EXPECT_EQ(out, in_one_pass(p.problem, *kernels, 2)) << text(c);
      plain.scores(p.problem);
      plain.softmax(p.problem, true);
      const auto want = plain.row(p.problem, 0, 0);
      EXPECT_EQ(row.query, want->query);
      EXPECT_EQ(row.heads, want->heads);
      EXPECT_EQ(row.keys, want->keys);
      const bool exact = OnePassAttention::products(*kernels, p.problem.sequences.front().cache->format(),
                                                    p.problem.layout()) == Products::fp32;
      const double tolerance = exact ? 1e-5 : 3e-2;
      expect_near(row.weights, want->weights, tolerance, text(c));
      expect_near(row.scores_nope, want->scores_nope, tolerance, text(c));
      ASSERT_EQ(row.scores_rope.size(), want->scores_rope.size());
      if (c.rope) expect_near(row.scores_rope, want->scores_rope, tolerance, text(c));
    }
}

TEST(OnePass, DoesNotDependOnTheNumberOfThreads) {
  const Kernels& kernels = *available_kernels().back();
  const std::vector<Case> cases{{16, 96, 16, 1500, 2},
                                {16, 96, 16, 700, 1, CacheDtype::bf16},
                                {12, 40, 8, 900, 2, CacheDtype::fp16},
                                {16, 96, 16, 700, 1, CacheDtype::int8},
                                {16, 96, 16, 700, 1, CacheDtype::fp8},
                                {16, 96, 32, 700, 2, CacheDtype::fp8},
                                {16, 96, 32, 700, 1, CacheDtype::bf16},
                                {24, 40, 4, 600, 1, CacheDtype::bf16, true, 6}};
  for (const Case& c : cases) {
    const Problem p(c, kernels, 7);
    const std::vector<float> one = in_one_pass(p.problem, kernels, 1);
    for (const int threads : {2, 3, 5}) EXPECT_EQ(in_one_pass(p.problem, kernels, threads), one) << text(c);
  }
}

TEST(OnePass, ScoresThatGrowAndFallKeepTheirSoftmax) {
  const Kernels& kernels = *available_kernels().back();
  for (const float slope : {-0.5f, 0.5f}) {  // the top is in the first block, or moves with every one
    KvCache cache(2, CacheDtype::fp32);
    const int tokens = 700;
    for (int t = 0; t < tokens; ++t) {
      const float row[] = {slope * float(t), 1.0f};
      cache.store(kernels, cache.grow(1), 0, row, 2);
    }
    const std::vector<float> q{1, 0, 1, 0, 1, 0, 1, 0};
    AttentionProblem p;
    KvView view;
    view.cache = &cache;
    view.layout = {1, 2, 0, 0, 0, 0, 0, 2, 0, 0};
    p.sequences = {view};
    p.first = tokens - 1;
    p.heads = 4;
    p.q_nope = q.data();
    const std::vector<float> out = in_one_pass(p, kernels, 2);
    double total = 0, mean = 0;
    for (int t = 0; t < tokens; ++t) {
      const double weight = std::exp(slope * (t - (slope > 0 ? tokens - 1 : 0)));
      total += weight;
      mean += weight * slope * t;
    }
    for (int h = 0; h < 4; ++h) {
      EXPECT_NEAR(out[std::size_t(2 * h)], mean / total, 1e-4 * std::max(1.0, std::abs(mean / total)));
      EXPECT_NEAR(out[std::size_t(2 * h + 1)], 1, 1e-5);
    }
  }
}

TEST(OnePass, LeavesOtherProblemsToTheKernel) {
  const Kernels& kernels = *available_kernels().back();
  Problem p({16, 32, 8, 40}, kernels, 1);
  p.problem.positions = 2;
  EXPECT_FALSE(OnePassAttention::handles(p.problem));
  p.problem.positions = 1;
  p.problem.sequences.front().up.key = 0;
  EXPECT_FALSE(OnePassAttention::handles(p.problem)) << "keys that are rebuilt from latents";
}

}  // namespace
}  // namespace mla
