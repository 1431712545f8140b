#include "core/attention/prefill.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/core/attention/attention_problem.h"

namespace mla {
namespace {

std::vector<float> prefilled(const AttentionProblem& p, const Kernels& kernels, int threads) {
  ThreadPool pool(threads);
  PrefillAttention kernel(kernels, pool);
  std::vector<float> out(std::size_t(p.positions) * p.batch() * p.heads * p.layout().value, -7.0f);
  const StageSeconds times = kernel.run(p, out.data());
  EXPECT_GT(times.scores + times.softmax + times.values, 0);
  return out;
}

Case of(Case c, int positions) {
  c.positions = positions;
  return c;
}

TEST(Prefill, EqualsTheThreeStagesOnEveryInstructionSet) {
  using enum CacheDtype;
  const std::vector<Case> cases{of({1, 24, 8, 2}, 2),  // all tokens, or the last of them
                                of({3, 33, 6, 64}, 64),
                                of({3, 33, 6, 200}, 7),
                                of({16, 128, 64, 300, 1, fp32, true, 16}, 300),
                                of({16, 128, 64, 500, 1, fp32, true, 16}, 130),
                                of({9, 12, 5, 150, 3, fp32, true, 3}, 100),
                                of({20, 7, 0, 65, 2, fp32, true, 20}, 65),
                                of({40, 64, 16, 130}, 60),
                                of({126, 31, 4, 77}, 20),
                                of({8, 32, 32, 129, 2, bf16, true, 4}, 129),
                                of({4, 16, 4, 90, 1, fp16}, 33)};
  for (const Kernels* kernels : available_kernels())
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Problem p(cases[i], *kernels, unsigned(i));
      ASSERT_TRUE(PrefillAttention::handles(p.problem));
      expect_near(prefilled(p.problem, *kernels, 2), in_three_stages(p.problem, *kernels), 1e-5,
                  std::string(kernels->name) + ": " + text(cases[i]));
    }
}

TEST(Prefill, DoesNotDependOnTheNumberOfThreads) {
  const Kernels& kernels = *available_kernels().back();
  const Problem p(of({6, 40, 8, 200, 2, CacheDtype::fp32, true, 3}, 150), kernels, 7);
  const std::vector<float> one = prefilled(p.problem, kernels, 1);
  for (const int threads : {2, 3, 5}) EXPECT_EQ(prefilled(p.problem, kernels, threads), one) << threads;
}

TEST(Prefill, WhatComesAfterAQueryDoesNotReachIt) {
  const Kernels& kernels = *available_kernels().back();
  const int positions = 150, dims = 16, late = 100;
  const Problem before(of({3, dims, 4, positions}, positions), kernels, 5);
  Problem after(of({3, dims, 4, positions}, positions), kernels, 5);
  const std::vector<float> infinite(dims, std::numeric_limits<float>::infinity());
  after.cache(0).store(kernels, late, 0, infinite.data(), dims);
  const auto want = prefilled(before.problem, kernels, 2), got = prefilled(after.problem, kernels, 2);
  const std::size_t unreached = std::size_t(late / KvCache::kBlockTokens * KvCache::kBlockTokens) * 3 * dims;
  for (std::size_t i = 0; i < unreached; ++i) ASSERT_EQ(got[i], want[i]) << i;
  EXPECT_TRUE(std::isnan(got.back()) || std::isinf(got.back()));
}

TEST(Prefill, LeavesRebuiltKeysToTheKernel) {
  const Kernels& kernels = *available_kernels().back();
  Problem p(of({4, 16, 4, 90}, 33), kernels, 1);
  p.problem.sequences.front().up.value = 0;
  EXPECT_FALSE(PrefillAttention::handles(p.problem));
  p.problem.sequences.front().up.value = -1;
  p.problem.positions = 1;
  EXPECT_FALSE(PrefillAttention::handles(p.problem)) << "one query is OnePassAttention's";
}

}  // namespace
}  // namespace mla
