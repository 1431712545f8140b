#include "core/model/routing.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace mla {
namespace {

std::vector<double> scores_of(ScoringFunc scoring, std::span<const float> logits) {
  std::vector<double> scores(logits.begin(), logits.end());
  if (scoring == ScoringFunc::sigmoid) {
    for (double& score : scores) score = 1 / (1 + std::exp(-score));
    return scores;
  }
  const double top = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - top);
  for (double& score : scores) score /= sum;
  return scores;
}

/// Ids of the `count` largest values, the lower id first among equals.
std::vector<int> largest(const std::vector<double>& values, int count) {
  std::vector<int> ids(values.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::partial_sort(ids.begin(), ids.begin() + count, ids.end(),
                    [&](int a, int b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  ids.resize(std::size_t(count));
  return ids;
}

double group_score(std::span<const double> group, bool two_best) {
  double best = -std::numeric_limits<double>::infinity(), second = best;
  for (const double value : group) {
    second = std::max(second, std::min(best, value));
    best = std::max(best, value);
  }
  return two_best ? best + second : best;
}

void exclude_groups(const MoeSpec& moe, std::vector<double>& choice) {
  const std::size_t size = choice.size() / std::size_t(moe.n_group);
  std::vector<double> groups(std::size_t(moe.n_group));
  for (std::size_t g = 0; g < groups.size(); ++g)
    groups[g] = group_score(std::span(choice).subspan(g * size, size), moe.has_bias());
  std::vector<bool> open(groups.size());
  for (const int g : largest(groups, moe.topk_group)) open[g] = true;
  for (std::size_t e = 0; e < choice.size(); ++e)
    if (!open[e / size]) choice[e] = -std::numeric_limits<double>::infinity();
}

}  // namespace

std::vector<Route> route(const MoeSpec& moe, std::span<const float> logits, const float* bias) {
  const std::vector<double> scores = scores_of(moe.scoring_func, logits);
  std::vector<double> choice = scores;
  if (bias)
    for (std::size_t e = 0; e < choice.size(); ++e) choice[e] += bias[e];
  for (double& value : choice)
    if (std::isnan(value)) value = -std::numeric_limits<double>::infinity();  // of broken weights, and cannot be ordered
  if (moe.has_groups()) exclude_groups(moe, choice);
  std::vector<int> chosen = largest(choice, moe.num_experts_per_tok);
  std::sort(chosen.begin(), chosen.end());

  double sum = 0;
  for (const int e : chosen) sum += scores[e];
  // All scores may have underflowed to 0.
  const double factor = moe.routed_scaling_factor / (moe.norm_topk_prob ? std::max(sum, 1e-20) : 1);
  std::vector<Route> routes;
  for (const int e : chosen) routes.push_back({e, float(scores[e] * factor)});
  return routes;
}

}  // namespace mla
