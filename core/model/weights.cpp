#include "core/model/weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <new>

#include "core/spec/format.h"
#include "core/tensor/kernels.h"
#include "core/tensor/random.h"
#include "core/tensor/thread_pool.h"

namespace mla {
namespace {

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

/// How a tensor of a random model is filled.
enum class Fill { unit_variance, projection, ones, zeros };

/// A tensor to be made: where it goes, and its spread.
struct Plan {
  Weight* target;
  Fill fill;
  float gain;
};

/// Lays out the tensors of a random model: names and shapes are set, values follow.
class Layout {
 public:
  explicit Layout(const Experiment& experiment) : spec_(experiment.spec), model_(std::make_shared<ModelWeights>()) {
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
  const std::vector<Plan>& plans() const { return plans_; }
  bool tied() const { return tied_; }

 private:
  // Scores get a standard deviation near 1.5: queries of this spread meet keys of unit variance.
  static constexpr float kQueryGain = 1.5f;

  void add(Weight& weight, const std::string& name, int rows, int cols, Fill fill, float gain = 1) {
    weight = {prefix_ + name, rows, cols, nullptr, 0};
    plans_.push_back({&weight, fill, gain});
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
  std::shared_ptr<ModelWeights> model_;
  std::vector<Plan> plans_;
  std::string prefix_;
  bool tied_ = false;
};

/// Identifies the values of a random tensor: two plans with equal keys hold equal values.
std::uint64_t value_key(const Plan& plan, std::uint64_t seed) {
  std::uint64_t key = stream_key(seed, plan.target->name);
  return mix(key, std::uint64_t(plan.target->rows) << 32 | std::uint64_t(plan.target->cols));
}

void fill(const Plan& plan, std::uint64_t seed, std::int64_t first, std::int64_t count, float* out) {
  switch (plan.fill) {
    case Fill::ones:
      std::fill_n(out, count, 1.0f);
      return;
    case Fill::zeros:
      std::fill_n(out, count, 0.0f);
      return;
    case Fill::unit_variance:
    case Fill::projection:
      break;
  }
  const float spread = plan.fill == Fill::projection ? plan.gain / std::sqrt(float(plan.target->cols)) : 1;
  available_kernels().back()->fill_uniform(value_key(plan, seed), std::uint64_t(first), kUnitVariance * spread, out, count);
}

using Known = std::map<std::uint64_t, WeightValues>;

Known known_values(const ModelWeights& model) {
  Known known;
  for_each_weight_of(model, [&](const Weight& weight) {
    if (weight && weight.random_key) known[weight.random_key] = weight.values;
  });
  return known;
}

}  // namespace

void for_each_weight(const ModelWeights& model, const std::function<void(const Weight&)>& visit) {
  for_each_weight_of(model, [&](const Weight& weight) {
    const bool tied = &weight == &model.lm_head && weight.values == model.embed_tokens.values;
    if (weight && !tied) visit(weight);
  });
}

std::int64_t ModelWeights::bytes() const {
  std::int64_t total = 0;
  for_each_weight(*this, [&](const Weight& weight) { total += weight.bytes(); });
  return total;
}

std::int64_t ModelWeights::held_bytes() const {
  std::int64_t total = 0;
  for_each_weight(*this, [&](const Weight& weight) { total += weight.values.made() ? weight.bytes() : 0; });
  return total;
}

std::int64_t weight_bytes(const Experiment& experiment) {
  const Layout layout(experiment);
  std::int64_t total = 0;
  for (const Plan& plan : layout.plans()) total += plan.target->bytes();
  return total;
}

std::int64_t shared_weight_bytes(const Experiment& experiment, const ModelWeights& previous) {
  const Layout layout(experiment);
  const Known known = known_values(previous);
  std::int64_t total = 0;
  for (const Plan& plan : layout.plans())
    if (known.contains(value_key(plan, experiment.seed))) total += plan.target->bytes();
  return total;
}

Result<std::shared_ptr<const ModelWeights>> build_weights(const Experiment& experiment, const ModelWeights* previous,
                                                          const Progress& progress, std::stop_token stop) {
  const Layout layout(experiment);
  const Known known = previous ? known_values(*previous) : Known{};

  std::int64_t total = 0, done = 0;
  for (const Plan& plan : layout.plans()) total += plan.target->bytes();
  ThreadPool pool(experiment.threads > 0 ? experiment.threads : default_threads());
  try {
    for (const Plan& plan : layout.plans()) {
      if (stop.stop_requested()) return Error{"cancelled"};
      Weight& weight = *plan.target;
      weight.random_key = value_key(plan, experiment.seed);
      const auto found = known.find(weight.random_key);
      if (found != known.end()) {
        weight.values = found->second;
      } else {
        auto values = std::make_shared<Buffer<float>>(std::size_t(weight.rows) * weight.cols);
        constexpr std::int64_t step = 1 << 20;
        const std::int64_t size = std::int64_t(values->size());
        pool.run(int((size + step - 1) / step), [&](int item, int) {
          if (!stop.stop_requested())
            fill(plan, experiment.seed, item * step, std::min(step, size - item * step), values->data() + item * step);
        });
        weight.values = std::move(values);
      }
      done += weight.bytes();
      if (progress) progress(double(done) / double(total));
    }
  } catch (const std::bad_alloc&) {
    return Error{"weights: out of memory after " + format_bytes(done) + " of " + format_bytes(total)};
  }
  if (stop.stop_requested()) return Error{"cancelled"};
  if (layout.tied()) layout.model()->lm_head = layout.model()->embed_tokens;
  return std::shared_ptr<const ModelWeights>(layout.model());
}

namespace {

/// Weights that every token passes and whose values are still to be made.
std::vector<const Weight*> unmade_of(const ModelWeights& model) {
  std::vector<const Weight*> unmade;
  const auto note = [&](const Weight& weight) {
    if (weight.values && !weight.values.made()) unmade.push_back(&weight);
  };
  for (const Weight* weight : {&model.embed_tokens, &model.norm, &model.lm_head}) note(*weight);
  for (const LayerWeights& layer : model.layers) visit_common(layer, note);
  return unmade;
}

}  // namespace

Status convert_weights(const ModelWeights& model, int threads, const Progress& progress, std::stop_token stop) {
  const std::vector<const Weight*> unmade = unmade_of(model);
  std::int64_t total = 0, done = 0;
  for (const Weight* weight : unmade) total += weight->bytes();
  ThreadPool pool(threads > 0 ? threads : default_threads());
  std::atomic<bool> out_of_memory = false;
  for (std::size_t first = 0; first < unmade.size() && !out_of_memory; first += pool.threads()) {
    if (stop.stop_requested()) return Error{"cancelled"};
    const int count = int(std::min<std::size_t>(pool.threads(), unmade.size() - first));
    pool.run(count, [&](int item, int) {
      try {
        (void)unmade[first + item]->values->size();
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      }
    });
    for (int i = 0; i < count; ++i) done += unmade[first + i]->bytes();
    if (progress) progress(double(done) / double(total));
  }
  if (out_of_memory) return Error{"weights: out of memory"};
  return {};
}

}  // namespace mla
