#include "core/model/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/tensor/random.h"

namespace mla {
namespace {

/// Keeps the most likely ids: top_k of them, and of those no more than it takes to reach top_p. `ids` are sorted, likeliest
/// first.
void narrow(const Sampling& sampling, std::vector<int>& ids, std::vector<double>& weights) {
  std::size_t keep = ids.size();
  if (sampling.top_k > 0) keep = std::min<std::size_t>(keep, sampling.top_k);
  double total = 0;
  for (std::size_t i = 0; i < keep; ++i) total += weights[i];
  double sum = 0;
  for (std::size_t i = 0; i < keep; ++i) {
    sum += weights[i];
    if (sum >= sampling.top_p * total) keep = i + 1;
  }
  ids.resize(keep);
  weights.resize(keep);
}

}  // namespace

Draw Sampler::next() {
  if (sampling_.temperature <= 0) return {sampling_, 0};
  return {sampling_, double(mix(seed_, draws_++) >> 11) * 0x1p-53};
}

int choose(const Draw& chosen, std::span<const float> logits) {
  const Sampling& sampling = chosen.sampling;
  const auto best = std::max_element(logits.begin(), logits.end());
  if (sampling.temperature <= 0) return int(best - logits.begin());
  std::vector<int> ids(logits.size());
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(), [&](int a, int b) { return logits[a] > logits[b]; });
  std::vector<double> weights(ids.size());
  for (std::size_t i = 0; i < ids.size(); ++i)
    weights[i] = std::exp((double(logits[ids[i]]) - *best) / sampling.temperature);
  narrow(sampling, ids, weights);
  const double draw = chosen.at * std::accumulate(weights.begin(), weights.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < ids.size(); ++i)
    if (draw < (sum += weights[i])) return ids[i];
  return ids.back();
}

}  // namespace mla
