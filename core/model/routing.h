#pragma once

#include <span>
#include <vector>

#include "core/spec/model_spec.h"

namespace mla {

/// One expert that a token uses, and the factor on its output.
struct Route {
  int expert = 0;
  float weight = 0;
  bool operator==(const Route&) const = default;
};

/// The experts of one token [num_experts_per_tok], in the order of their ids, from the router's logits [n_routed_experts]
/// (DeepSeek-V2, section 2.2; DeepSeek-V3, section 2.1.2). Scores are softmax(logits) or sigmoid(logits). `bias`
/// [n_routed_experts], null where topk_method has none, takes part in selection only. With groups, experts outside the
/// topk_group best groups are excluded; a group's score is its best expert, or with bias the sum of its two best. Weights
/// are the scores of the chosen, normalised to sum 1 where norm_topk_prob, times routed_scaling_factor. Of equals the lower
/// id is chosen.
std::vector<Route> route(const MoeSpec& moe, std::span<const float> logits, const float* bias);

}  // namespace mla
