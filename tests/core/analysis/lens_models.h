#pragma once

#include <random>

#include "core/analysis/rank_lens.h"
#include "tests/core/engine/engine_run.h"

namespace mla {

/// A weight of the same shape with values around 1, as trained norms have them.
inline Weight uneven_norm(const Weight& weight, std::mt19937& rng) {
  auto values = std::make_shared<Buffer<float>>(weight.values->size());
  for (float& x : values->span()) x = 0.5f + 0.001f * float(rng() % 1000);
  return {weight.name, weight.rows, weight.cols, values, 0};
}

/// A small random model of that variant whose norms are not all ones.
inline LoadedModel lens_model(Variant variant, std::mt19937& rng) {
  Experiment e = random_small(variant, rng);
  e.spec.attention.trained_kv_lora_rank = 0;
  auto model = load(e);
  if (!model) ADD_FAILURE() << model.error().message;
  auto weights = std::make_shared<ModelWeights>(*model->weights);
  for (LayerWeights& layer : weights->layers) {
    layer.input_norm = uneven_norm(layer.input_norm, rng);
    if (variant == Variant::mla) layer.attention.kv_a_layernorm = uneven_norm(layer.attention.kv_a_layernorm, rng);
  }
  return {model->experiment, weights, model->vocabulary};
}

/// Feeds vectors to a truncated model, in two passes.
inline std::unique_ptr<Decoder> run_truncated(const LoadedModel& full, const TruncatedModel& truncated, AttentionPath path,
                                              const std::vector<float>& x) {
  Experiment e = full.experiment;
  e.spec = truncated.spec;
  e.path = path;
  auto decoder = Decoder::create(e, cpu(), truncated.weights);
  if (!decoder) {
    ADD_FAILURE() << decoder.error().message;
    return nullptr;
  }
  (*decoder)->keep_outputs(true);
  const int d = e.spec.attention.hidden_size, total = int(x.size()) / d, first = total / 2;
  for (const auto& [from, count] : {std::pair{0, first}, {first, total - first}}) {
    const auto step = (*decoder)->prefill_hidden(std::span(x).subspan(std::size_t(from) * d, std::size_t(count) * d), count);
    if (!step) ADD_FAILURE() << step.error().message;
  }
  return std::move(*decoder);
}

}  // namespace mla
