#include "core/model/random_layout.h"

#include <string>

namespace mla {
namespace {

/// Lays out the tensors of a random model: names and shapes are set, values follow.
class Layout {
 public:
  explicit Layout(const Experiment& experiment)
      : spec_(experiment.spec), dtype_(experiment.weights_dtype), model_(std::make_shared<ModelWeights>()) {
    model_->random = true;
    model_->layers.resize(experiment.layers);
    const int d = spec_.attention.hidden_size;
    if (spec_.vocab_size > 0) {
      add(model_->embed_tokens, "model.embed_tokens.weight", spec_.vocab_size, d, Fill::unit_variance);
      add(model_->norm, "model.norm.weight", d, 1, Fill::ones);
      if (spec_.tie_word_embeddings) {
        tied_ = true;
      } else {
        add(model_->lm_head, "lm_head.weight", spec_.vocab_size, d, Fill::projection);
      }
    }
    for (int l = 0; l < experiment.layers; ++l) {
      prefix_ = "model.layers." + std::to_string(l) + ".";
      if (spec_.block == BlockKind::toy) {
        toy_layer(model_->layers[l]);
      } else {
        layer(l, model_->layers[l]);
      }
    }
  }

  std::shared_ptr<ModelWeights> model() const { return model_; }
  const std::vector<RandomTensor>& tensors() const { return tensors_; }
  bool tied() const { return tied_; }

 private:
  // Scores get a standard deviation near 1.5: queries of this spread meet keys of unit variance.
  static constexpr float kQueryGain = 1.5f;

  void add(Weight& weight, const std::string& name, int rows, int cols, Fill fill, float gain = 1) {
    const bool router = &weight == router_;
    weight = {prefix_ + name, rows, cols, nullptr, 0};
    tensors_.push_back({&weight, fill, gain, cols > 1 && !router && dtype_ != WeightsDtype::stored});
    if (tensors_.back().narrows) weight.dtype = dtype_;
  }
  void linear(Linear& linear, const std::string& name, int rows, int cols, bool bias = false, float gain = 1) {
    add(linear.weight, name + ".weight", rows, cols, Fill::projection, gain);
    if (bias) add(linear.bias, name + ".bias", rows, 1, Fill::zeros);
  }

  void layer(int l, LayerWeights& layer) {
    const AttentionSpec& a = spec_.attention;
    const int d = a.hidden_size, f = spec_.intermediate_size;
    add(layer.input_norm, "input_layernorm.weight", d, 1, Fill::ones);
    if (a.is_mla()) {
      latent_attention(layer.attention);
    } else {
      linear(layer.attention.q_proj, "self_attn.q_proj", a.num_attention_heads * a.head_dim(), d, false, kQueryGain);
      linear(layer.attention.k_proj, "self_attn.k_proj", a.num_key_value_heads * a.head_dim(), d);
      linear(layer.attention.v_proj, "self_attn.v_proj", a.num_key_value_heads * a.head_dim(), d);
    }
    linear(layer.attention.o_proj, "self_attn.o_proj", d, a.num_attention_heads * a.v_head_dim);
    if (spec_.block == BlockKind::attention) return;
    add(layer.post_norm, "post_attention_layernorm.weight", d, 1, Fill::ones);
    if (spec_.is_moe_layer(l)) return experts(*spec_.moe, layer.moe);
    linear(layer.gate_proj, "mlp.gate_proj", f, d);
    linear(layer.up_proj, "mlp.up_proj", f, d);
    linear(layer.down_proj, "mlp.down_proj", d, f);
  }

  void experts(const MoeSpec& moe, MoeWeights& w) {
    const int d = spec_.attention.hidden_size, f = moe.moe_intermediate_size;
    const auto expert = [&](ExpertWeights& weights, const std::string& name, int width) {
      linear(weights.gate_proj, name + ".gate_proj", width, d);
      linear(weights.up_proj, name + ".up_proj", width, d);
      linear(weights.down_proj, name + ".down_proj", d, width);
    };
    router_ = &w.gate.weight;
    linear(w.gate, "mlp.gate", moe.n_routed_experts, d);
    if (moe.has_bias())
      add(w.e_score_correction_bias, "mlp.gate.e_score_correction_bias", moe.n_routed_experts, 1, Fill::zeros);
    w.experts.resize(std::size_t(moe.n_routed_experts));
    for (int e = 0; e < moe.n_routed_experts; ++e) expert(w.experts[e], "mlp.experts." + std::to_string(e), f);
    if (moe.n_shared_experts > 0) expert(w.shared_experts, "mlp.shared_experts", moe.shared_width());
  }

  void latent_attention(AttentionWeights& w) {
    const AttentionSpec& a = spec_.attention;
    const int d = a.hidden_size, heads = a.num_attention_heads, q = heads * a.head_dim();
    if (a.q_lora_rank == 0) {
      linear(w.q_proj, "self_attn.q_proj", q, d, false, kQueryGain);
    } else {
      linear(w.q_a_proj, "self_attn.q_a_proj", a.q_lora_rank, d);
      add(w.q_a_layernorm, "self_attn.q_a_layernorm.weight", a.q_lora_rank, 1, Fill::ones);
      linear(w.q_b_proj, "self_attn.q_b_proj", q, a.q_lora_rank, false, kQueryGain);
    }
    linear(w.kv_a_proj, "self_attn.kv_a_proj_with_mqa", a.latent_dim() + a.qk_rope_head_dim, d);
    add(w.kv_a_layernorm, "self_attn.kv_a_layernorm.weight", a.latent_dim(), 1, Fill::ones);
    if (a.trained_kv_lora_rank > 0)
      add(w.kv_latent_proj, "self_attn.kv_latent_proj", a.kv_lora_rank, a.trained_kv_lora_rank, Fill::projection);
    linear(w.kv_b_proj, "self_attn.kv_b_proj", heads * (a.qk_nope_head_dim + a.v_head_dim), a.kv_lora_rank);
  }

  void toy_layer(LayerWeights& layer) {
    const AttentionSpec& a = spec_.attention;
    const int d = a.hidden_size, heads = a.num_attention_heads, f = spec_.intermediate_size;
    AttentionWeights& w = layer.attention;
    linear(w.q_a_proj, "attn.Wq_d", a.q_lora_rank, d, true);
    linear(w.q_proj, "attn.W_qk", heads * a.kv_lora_rank, a.q_lora_rank, true, kQueryGain);
    linear(w.kv_a_proj, "attn.Wkv_d", a.kv_lora_rank, d, true);
    linear(w.kv_b_proj, "attn.Wv_u", heads * a.v_head_dim, a.kv_lora_rank, true);
    linear(w.o_proj, "attn.Wo", d, heads * a.v_head_dim, true);
    add(layer.input_norm, "norm1.weight", d, 1, Fill::ones);
    add(layer.input_norm_bias, "norm1.bias", d, 1, Fill::zeros);
    linear(layer.gate_proj, "ff.0", f, d, true);
    linear(layer.down_proj, "ff.2", d, f, true);
    add(layer.post_norm, "norm2.weight", d, 1, Fill::ones);
    add(layer.post_norm_bias, "norm2.bias", d, 1, Fill::zeros);
  }

  ModelSpec spec_;
  WeightsDtype dtype_;
  const Weight* router_ = nullptr;  // of the layer at hand
  std::shared_ptr<ModelWeights> model_;
  std::vector<RandomTensor> tensors_;
  std::string prefix_;
  bool tied_ = false;
};

}  // namespace

RandomLayout lay_out(const Experiment& experiment) {
  const Layout layout(experiment);
  return {layout.model(), layout.tensors(), layout.tied()};
}

}  // namespace mla
