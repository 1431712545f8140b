#include "app/window/compare_runs.h"

#include <algorithm>
#include <utility>

#include "app/window/excerpt_quality.h"
#include "core/analysis/comparison.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

/// Prompt and generated text, or as many vectors; the synthetic tokens before them are no text.
std::vector<int> tokens_of(const ui::Snapshot& snapshot) {
  std::vector<int> ids;
  const std::size_t synthetic = std::size_t(snapshot.experiment.prefill);
  for (std::size_t i = synthetic; snapshot.tokens && i < snapshot.tokens->size(); ++i)
    ids.push_back((*snapshot.tokens)[i].id);
  const int most = std::min(kMostComparedTokens, snapshot.experiment.context);
  ids.resize(std::min(ids.size(), std::size_t(most)));
  return ids;
}

Result<Comparison> compared(const LoadedModel& model, const LoadedModel& other, ComputeBackend& backend,
                            const ui::Snapshot& snapshot) {
  const int layer = std::min(model.experiment.layers, other.experiment.layers) - 1;
  // What it is held against comes first, as a pinned run does in the window: differences are what the present settings
  // bring.
  Result<Comparison> comparison = compare(other, model, tokens_of(snapshot), layer, backend);
  if (!comparison) return comparison.error();
  if (!held_out_excerpt()) return comparison;
  const auto first = excerpt_bits_per_byte(other, backend), second = excerpt_bits_per_byte(model, backend);
  if (!first) return first.error();
  if (!second) return second.error();
  comparison->first.bits_per_byte = *first;
  comparison->second.bits_per_byte = *second;
  return comparison;
}

}  // namespace

Status add_comparison(const LoadedModel& model, const Experiment& against, ComputeBackend& backend, ui::Snapshot& snapshot) {
  const Result<LoadedModel> other = load(against, model.weights.get());
  if (!other) return Error{"--against: " + other.error().message};
  Result<Comparison> comparison = compared(model, *other, backend, snapshot);
  if (!comparison) return comparison.error();
  snapshot.comparison = std::make_shared<const Comparison>(std::move(*comparison));
  return {};
}

}  // namespace mla
