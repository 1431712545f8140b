#include "core/analysis/quality_curve.h"

#include <algorithm>
#include <set>

#include "core/analysis/memory.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

QualityPoint point_of(const Experiment& e, std::string curve, std::string name) {
  const std::int64_t bytes = cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers);
  return {std::move(curve), std::move(name), false, e, bytes, 0, {}};
}

/// Octaves of the latent, and the one that is set; the largest first.
std::set<int, std::greater<>> latents_of(const AttentionSpec& attention) {
  std::set<int, std::greater<>> latents{attention.elastic->kv_lora_rank, attention.latent_dim()};
  for (int latent = 1; latent < attention.elastic->kv_lora_rank; latent *= 2) latents.insert(latent);
  return latents;
}

/// An elastic model's points, or a plain one's one.
void add_model(std::vector<QualityPoint>& points, const Experiment& experiment) {
  const AttentionSpec& attention = experiment.spec.attention;
  if (!attention.elastic) {
    points.push_back(point_of(experiment, experiment.model, title_of(attention)));
    return;
  }
  const std::string curve = experiment.model + ", latent 1 to " + std::to_string(attention.elastic->kv_lora_rank);
  for (const int latent : latents_of(attention)) {
    const auto sized = apply(experiment, {"kv-lora-rank", std::to_string(latent)});
    if (sized) points.push_back(point_of(*sized, curve, "c " + std::to_string(latent)));
  }
}

}  // namespace

std::vector<QualityPoint> plan_quality_curve(const Experiment& experiment) {
  std::vector<QualityPoint> points;
  if (experiment.model.empty() || experiment.spec.vocab_size == 0) return points;
  add_model(points, experiment);
  for (QualityPoint& point : points) point.present = point.experiment == experiment;
  const std::vector<std::string> bundled = bundled_models();
  if (std::find(bundled.begin(), bundled.end(), experiment.model) == bundled.end()) return points;
  for (const std::string& name : bundled) {
    if (name == experiment.model) continue;
    auto other = experiment_of_model(name);
    if (!other) continue;
    other->cache_dtype = experiment.cache_dtype;
    other->weights_dtype = experiment.weights_dtype;
    add_model(points, *other);
  }
  return points;
}

}  // namespace mla
