#include "core/model/checkpoint_plan.h"

#include <optional>

#include "core/spec/text.h"

namespace mla {
namespace {

/// Collects tensors; dimensions are 64-bit, so that products of two cannot overflow.
class Plan {
 public:
  void vector(const std::string& name, std::int64_t rows, Weight& target) { tensors.push_back({name, {rows}, &target}); }
  void matrix(const std::string& name, std::int64_t rows, std::int64_t cols, Weight& target) {
    tensors.push_back({name, {rows, cols}, &target});
  }
  void linear(const std::string& name, std::int64_t rows, std::int64_t cols, bool bias, Linear& target,
              HalfSplit pairs = {}) {
    tensors.push_back({name + ".weight", {rows, cols}, &target.weight, pairs});
    if (bias) tensors.push_back({name + ".bias", {rows}, &target.bias, pairs});
  }
  void swiglu(const std::string& prefix, std::int64_t width, std::int64_t d, bool bias, Linear& gate, Linear& up,
              Linear& down) {
    linear(prefix + "gate_proj", width, d, bias, gate);
    linear(prefix + "up_proj", width, d, bias, up);
    linear(prefix + "down_proj", d, width, bias, down);
  }
  void layer_norm(const std::string& name, std::int64_t rows, Weight& weight, Weight& bias) {
    vector(name + ".weight", rows, weight);
    vector(name + ".bias", rows, bias);
  }
  std::vector<PlannedTensor> tensors;
};

void plan_toy(const ModelSpec& spec, LayerWeights& layer, Plan& plan) {
  const AttentionSpec& a = spec.attention;
  const std::int64_t d = a.hidden_size, h = a.num_attention_heads, c = a.kv_lora_rank;
  AttentionWeights& w = layer.attention;
  plan.linear("attn.Wq_d", a.q_lora_rank, d, true, w.q_a_proj);
  plan.linear("attn.W_qk", h * c, a.q_lora_rank, true, w.q_proj);
  plan.linear("attn.Wkv_d", c, d, true, w.kv_a_proj);
  plan.linear("attn.Wv_u", h * a.v_head_dim, c, true, w.kv_b_proj);
  plan.linear("attn.Wo", d, h * a.v_head_dim, true, w.o_proj);
  plan.layer_norm("norm1", d, layer.input_norm, layer.input_norm_bias);
  plan.linear("ff.0", spec.intermediate_size, d, true, layer.gate_proj);
  plan.linear("ff.2", d, spec.intermediate_size, true, layer.down_proj);
  plan.layer_norm("norm2", d, layer.post_norm, layer.post_norm_bias);
}

void plan_latent_attention(const std::string& prefix, const CheckpointConfig& config, AttentionWeights& w, Plan& plan) {
  const AttentionSpec& a = config.spec.attention;
  const std::int64_t d = a.hidden_size, h = a.num_attention_heads, c = a.kv_lora_rank, r = a.qk_rope_head_dim;
  const std::int64_t head = a.head_dim(), halved = config.half_split ? r : 0;
  if (a.q_lora_rank == 0) {
    plan.linear(prefix + "q_proj", h * head, d, false, w.q_proj, {head, halved});
  } else {
    plan.linear(prefix + "q_a_proj", a.q_lora_rank, d, config.attention_bias, w.q_a_proj);
    plan.vector(prefix + "q_a_layernorm.weight", a.q_lora_rank, w.q_a_layernorm);
    plan.linear(prefix + "q_b_proj", h * head, a.q_lora_rank, false, w.q_b_proj, {head, halved});
  }
  plan.linear(prefix + "kv_a_proj_with_mqa", c + r, d, config.attention_bias, w.kv_a_proj, {c + r, halved});
  plan.vector(prefix + "kv_a_layernorm.weight", c, w.kv_a_layernorm);
  plan.linear(prefix + "kv_b_proj", h * (std::int64_t(a.qk_nope_head_dim) + a.v_head_dim), c, false, w.kv_b_proj);
  plan.linear(prefix + "o_proj", d, h * a.v_head_dim, config.output_bias, w.o_proj);
}

void plan_grouped_attention(const std::string& prefix, const CheckpointConfig& config, AttentionWeights& w, Plan& plan) {
  const AttentionSpec& a = config.spec.attention;
  const std::int64_t d = a.hidden_size, head = a.head_dim(), halved = config.half_split ? a.qk_rope_head_dim : 0;
  const std::int64_t queries = a.num_attention_heads * head, keys = a.num_key_value_heads * head;
  plan.linear(prefix + "q_proj", queries, d, config.attention_bias, w.q_proj, {head, halved});
  plan.linear(prefix + "k_proj", keys, d, config.attention_bias, w.k_proj, {head, halved});
  plan.linear(prefix + "v_proj", keys, d, config.attention_bias, w.v_proj);
  plan.linear(prefix + "o_proj", d, queries, config.output_bias, w.o_proj);
}

void plan_experts(const std::string& prefix, const MoeSpec& moe, std::int64_t d, MoeWeights& w, Plan& plan) {
  plan.matrix(prefix + "gate.weight", moe.n_routed_experts, d, w.gate.weight);
  if (moe.has_bias()) plan.vector(prefix + "gate.e_score_correction_bias", moe.n_routed_experts, w.e_score_correction_bias);
  const auto expert = [&](const std::string& name, std::int64_t width, ExpertWeights& e) {
    plan.swiglu(prefix + name + ".", width, d, false, e.gate_proj, e.up_proj, e.down_proj);
  };
  w.experts.resize(static_cast<std::size_t>(moe.n_routed_experts));
  for (std::size_t e = 0; e < w.experts.size(); ++e)
    expert("experts." + std::to_string(e), moe.moe_intermediate_size, w.experts[e]);
  const std::int64_t shared = std::int64_t(moe.n_shared_experts) * moe.moe_intermediate_size;
  if (shared > 0) expert("shared_experts", shared, w.shared_experts);
}

void plan_decoder_layer(int l, const CheckpointConfig& config, LayerWeights& layer, Plan& plan) {
  const ModelSpec& spec = config.spec;
  const std::string prefix = "model.layers." + std::to_string(l) + ".";
  const std::int64_t d = spec.attention.hidden_size;
  plan.vector(prefix + "input_layernorm.weight", d, layer.input_norm);
  (spec.attention.is_mla() ? plan_latent_attention : plan_grouped_attention)(prefix + "self_attn.", config, layer.attention,
                                                                             plan);
  plan.vector(prefix + "post_attention_layernorm.weight", d, layer.post_norm);
  if (spec.is_moe_layer(l)) return plan_experts(prefix + "mlp.", *spec.moe, d, layer.moe, plan);
  plan.swiglu(prefix + "mlp.", spec.intermediate_size, d, config.mlp_bias, layer.gate_proj, layer.up_proj, layer.down_proj);
}

/// The layer that a tensor's name puts it into; none where it is of no layer.
std::optional<int> layer_of(std::string_view name) {
  constexpr std::string_view start = "model.layers.";
  if (!name.starts_with(start)) return {};
  name.remove_prefix(start.size());
  return parse_number<int>(name.substr(0, name.find('.')));
}

}  // namespace

std::vector<PlannedTensor> plan_tensors(const CheckpointConfig& config, ModelWeights& weights) {
  const ModelSpec& spec = config.spec;
  weights.layers.resize(static_cast<std::size_t>(spec.num_hidden_layers));
  Plan plan;
  if (spec.block == BlockKind::toy) {
    plan_toy(spec, weights.layers.front(), plan);
    return std::move(plan.tensors);
  }
  const std::int64_t d = spec.attention.hidden_size;
  plan.matrix("model.embed_tokens.weight", spec.vocab_size, d, weights.embed_tokens);
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    plan_decoder_layer(static_cast<int>(l), config, weights.layers[l], plan);
  }
  plan.vector("model.norm.weight", d, weights.norm);
  if (!spec.tie_word_embeddings) plan.matrix("lm_head.weight", spec.vocab_size, d, weights.lm_head);
  return std::move(plan.tensors);
}

std::int64_t HalfSplit::source(std::int64_t row) const {
  if (rope == 0) return row;
  const std::int64_t rotated = head - rope, i = row % head - rotated;
  return i < 0 ? row : row - i + i / 2 + i % 2 * (rope / 2);
}

std::int64_t least_tensors(const ModelSpec& spec) {
  std::int64_t count = 0;
  for (int l = 0; l < spec.num_hidden_layers; ++l) count += spec.is_moe_layer(l) ? 3ll * spec.moe->n_routed_experts : 1;
  return count;
}

bool may_be_ignored(const CheckpointConfig& config, const std::string& name) {
  const ModelSpec& spec = config.spec;
  const std::optional<int> layer = layer_of(name);
  const bool further =
      layer && *layer >= spec.num_hidden_layers && *layer - spec.num_hidden_layers < config.num_nextn_predict_layers;
  return further || name.ends_with("rotary_emb.inv_freq") || (spec.tie_word_embeddings && name == "lm_head.weight");
}

}  // namespace mla
