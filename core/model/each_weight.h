#pragma once

#include "core/model/weights.h"

namespace mla {

/// Calls visit(weight) for every weight of a layer that may be set, less those of the routed experts.
template <class Layer, class Visit>
void visit_common(Layer& layer, Visit visit) {
  auto& a = layer.attention;
  for (auto* weight : {&layer.input_norm, &layer.input_norm_bias, &layer.post_norm, &layer.post_norm_bias, &a.q_a_layernorm,
                       &a.kv_a_layernorm, &a.kv_latent_proj})
    visit(*weight);
  visit(layer.moe.e_score_correction_bias);
  const auto visit_linears = [&](auto... linears) { (..., (visit(linears->weight), visit(linears->bias))); };
  visit_linears(&a.q_proj, &a.q_a_proj, &a.q_b_proj, &a.kv_a_proj, &a.kv_b_proj, &a.k_proj, &a.v_proj, &a.o_proj,
                &layer.gate_proj, &layer.up_proj, &layer.down_proj, &layer.moe.gate);
  auto& shared = layer.moe.shared_experts;
  visit_linears(&shared.gate_proj, &shared.up_proj, &shared.down_proj);
}

/// The same, and those of the routed experts.
template <class Layer, class Visit>
void visit_layer(Layer& layer, Visit visit) {
  visit_common(layer, visit);
  for (auto& expert : layer.moe.experts)
    for (auto* linear : {&expert.gate_proj, &expert.up_proj, &expert.down_proj}) {
      visit(linear->weight);
      visit(linear->bias);
    }
}

template <class Model, class Visit>
void for_each_weight_of(Model& model, Visit visit) {
  visit(model.embed_tokens);
  visit(model.norm);
  visit(model.lm_head);
  for (auto& layer : model.layers) visit_layer(layer, visit);
}

}  // namespace mla
