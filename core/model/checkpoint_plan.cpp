#include "core/model/checkpoint_plan.h"

namespace mla {
namespace {

/// Collects tensors; dimensions are 64-bit, so that products of two cannot overflow.
class Plan {
 public:
  void vector(const std::string& name, std::int64_t rows, Weight& target) { tensors.push_back({name, {rows}, &target}); }
  void matrix(const std::string& name, std::int64_t rows, std::int64_t cols, Weight& target) {
    tensors.push_back({name, {rows, cols}, &target});
  }
  void linear(const std::string& name, std::int64_t rows, std::int64_t cols, bool bias, Linear& target) {
    matrix(name + ".weight", rows, cols, target.weight);
    if (bias) vector(name + ".bias", rows, target.bias);
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

void plan_attention(const std::string& prefix, const CheckpointConfig& config, AttentionWeights& w, Plan& plan) {
  const AttentionSpec& a = config.spec.attention;
  const std::int64_t d = a.hidden_size, h = a.num_attention_heads, c = a.kv_lora_rank, query = h * a.head_dim();
  if (a.q_lora_rank == 0) {
    plan.linear(prefix + "q_proj", query, d, false, w.q_proj);
  } else {
    plan.linear(prefix + "q_a_proj", a.q_lora_rank, d, config.attention_bias, w.q_a_proj);
    plan.vector(prefix + "q_a_layernorm.weight", a.q_lora_rank, w.q_a_layernorm);
    plan.linear(prefix + "q_b_proj", query, a.q_lora_rank, false, w.q_b_proj);
  }
  plan.linear(prefix + "kv_a_proj_with_mqa", c + a.qk_rope_head_dim, d, config.attention_bias, w.kv_a_proj);
  plan.vector(prefix + "kv_a_layernorm.weight", c, w.kv_a_layernorm);
  plan.linear(prefix + "kv_b_proj", h * (std::int64_t(a.qk_nope_head_dim) + a.v_head_dim), c, false, w.kv_b_proj);
  plan.linear(prefix + "o_proj", d, h * a.v_head_dim, config.attention_bias, w.o_proj);
}

void plan_decoder_layer(const std::string& prefix, const CheckpointConfig& config, LayerWeights& layer, Plan& plan) {
  const std::int64_t d = config.spec.attention.hidden_size, f = config.spec.intermediate_size;
  plan.vector(prefix + "input_layernorm.weight", d, layer.input_norm);
  plan_attention(prefix + "self_attn.", config, layer.attention, plan);
  plan.vector(prefix + "post_attention_layernorm.weight", d, layer.post_norm);
  plan.linear(prefix + "mlp.gate_proj", f, d, false, layer.gate_proj);
  plan.linear(prefix + "mlp.up_proj", f, d, false, layer.up_proj);
  plan.linear(prefix + "mlp.down_proj", d, f, false, layer.down_proj);
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
    plan_decoder_layer("model.layers." + std::to_string(l) + ".", config, weights.layers[l], plan);
  }
  plan.vector("model.norm.weight", d, weights.norm);
  if (!spec.tie_word_embeddings) plan.matrix("lm_head.weight", spec.vocab_size, d, weights.lm_head);
  return std::move(plan.tensors);
}

bool may_be_ignored(const CheckpointConfig& config, const std::string& name) {
  return name.ends_with("rotary_emb.inv_freq") || (config.spec.tie_word_embeddings && name == "lm_head.weight");
}

}  // namespace mla
