#include "core/model/routing.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace mla {
namespace {

MoeSpec four_of_two() {
  MoeSpec moe;
  moe.n_routed_experts = 8;
  moe.num_experts_per_tok = 2;
  moe.n_group = 4;
  return moe;
}

std::set<int> experts(const std::vector<Route>& routes) {
  std::set<int> ids;
  for (const Route& r : routes) ids.insert(r.expert);
  return ids;
}

using Ids = std::set<int>;

TEST(Routing, GreedyTakesTheBestWhateverTheirGroups) {
  const std::vector<float> logits{1, 0, 5, 4, 3, 3, 2, 0};
  MoeSpec moe = four_of_two();
  const auto routes = route(moe, logits, nullptr);
  EXPECT_EQ(experts(routes), (Ids{2, 3}));
  double sum = 0;
  for (const float l : logits) sum += std::exp(l);
  EXPECT_NEAR(routes[0].weight, std::exp(5) / sum, 1e-7);
  EXPECT_NEAR(routes[1].weight, std::exp(4) / sum, 1e-7);
}

TEST(Routing, GroupsAreChosenByTheirBestExpert) {
  MoeSpec moe = four_of_two();
  moe.topk_method = TopkMethod::group_limited_greedy;
  moe.topk_group = 2;
  // Best of each group: 9, 8, 7, 6. The second best expert of all, in the third group, is out of reach.
  const std::vector<float> logits{9, 1, 8, 2, 7, 7, 6, 0};
  EXPECT_EQ(experts(route(moe, logits, nullptr)), (Ids{0, 2}));
  moe.topk_group = 1;
  EXPECT_EQ(experts(route(moe, logits, nullptr)), (Ids{0, 1}));
}

TEST(Routing, WithABiasGroupsAreChosenByTheirTwoBest) {
  MoeSpec moe = four_of_two();
  moe.topk_method = TopkMethod::noaux_tc;
  moe.scoring_func = ScoringFunc::sigmoid;
  moe.topk_group = 1;
  const std::vector<float> none(8, 0), logits{9, -9, 1, 1, 0, 0, 0, 0};  // 1.0 + 0.0 against 0.73 + 0.73
  EXPECT_EQ(experts(route(moe, logits, none.data())), (Ids{2, 3}));
}

TEST(Routing, TheBiasTakesPartInSelectionOnly) {
  MoeSpec moe = four_of_two();
  moe.topk_method = TopkMethod::noaux_tc;
  moe.scoring_func = ScoringFunc::sigmoid;
  moe.n_group = 1;
  moe.routed_scaling_factor = 2.5;
  const std::vector<float> logits{2, 1, 0, 0, 0, 0, 0, -3}, bias{0, 0, 0, 0, 0, 0, 0, 5};
  const auto routes = route(moe, logits, bias.data());
  ASSERT_EQ(experts(routes), (Ids{0, 7}));
  EXPECT_NEAR(routes[0].weight, 2.5 / (1 + std::exp(-2)), 1e-6);
  EXPECT_NEAR(routes[1].weight, 2.5 / (1 + std::exp(3)), 1e-6);
  moe.norm_topk_prob = true;
  const auto normalised = route(moe, logits, bias.data());
  EXPECT_NEAR(normalised[0].weight + normalised[1].weight, 2.5, 1e-6);
  EXPECT_NEAR(normalised[0].weight / normalised[1].weight, routes[0].weight / routes[1].weight, 1e-4);
}

// Excluded is excluded, even where the biased scores of the others are negative.
TEST(Routing, NegativeBiasesDoNotLetExcludedExpertsIn) {
  MoeSpec moe = four_of_two();
  moe.topk_method = TopkMethod::noaux_tc;
  moe.scoring_func = ScoringFunc::sigmoid;
  moe.topk_group = 1;
  const std::vector<float> logits(8, 0.0f), bias{-2, -2, -1, -1, -2, -2, -2, -2};
  EXPECT_EQ(experts(route(moe, logits, bias.data())), (Ids{2, 3}));
}

TEST(Routing, EqualsGoToTheLowerId) {
  EXPECT_EQ(experts(route(four_of_two(), std::vector<float>(8, 1.0f), nullptr)), (Ids{0, 1}));
}

TEST(Routing, LogitsOfAnySizeGiveNumbers) {
  MoeSpec moe = four_of_two();
  moe.norm_topk_prob = true;
  for (const ScoringFunc scoring : {ScoringFunc::softmax, ScoringFunc::sigmoid}) {
    moe.scoring_func = scoring;
    for (const float size : {3e4f, -3e4f})
      for (const Route& r : route(moe, std::vector<float>{size, 0, 0, size, 0, 0, 0, size / 2}, nullptr))
        EXPECT_TRUE(std::isfinite(r.weight)) << size;
  }
}

TEST(Routing, LogitsThatAreNoNumbersStillChooseSomeExperts) {
  MoeSpec moe = four_of_two();
  moe.topk_method = TopkMethod::group_limited_greedy;
  moe.topk_group = 2;
  EXPECT_EQ(experts(route(moe, std::vector<float>(8, NAN), nullptr)).size(), 2u);
}

}  // namespace
}  // namespace mla
