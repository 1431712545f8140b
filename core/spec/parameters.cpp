#include "core/spec/parameters.h"

#include "core/spec/cache_row.h"

namespace mla {
namespace {

using Visit = std::function<void(const ParameterShape&)>;

class Visitor {
 public:
  Visitor(const ModelSpec& spec, const Visit& visit) : spec_(spec), a_(spec.attention), d_(a_.hidden_size), visit_(visit) {}

  void outer() {
    if (spec_.vocab_size == 0) return;
    matrix(spec_.vocab_size, d_, spec_.tie_word_embeddings ? 1 : 2);
    vector(d_);
  }

  void layer(int l) {
    const std::int64_t f = spec_.intermediate_size;
    if (spec_.block == BlockKind::toy) {
      toy_attention();
      vector(d_, 4);
      linear(f, d_);
      linear(d_, f);
      return;
    }
    a_.is_mla() ? latent_attention() : grouped_attention();
    vector(d_, spec_.block == BlockKind::attention ? 1 : 2);
    if (spec_.block == BlockKind::attention) return;
    if (spec_.is_moe_layer(l)) return experts(*spec_.moe);
    matrix(f, d_, 2);
    matrix(d_, f);
  }

 private:
  void matrix(std::int64_t rows, std::int64_t cols, std::int64_t count = 1) { visit_({count, rows, cols, cols > 1}); }
  void vector(std::int64_t rows, std::int64_t count = 1) { visit_({count, rows, 1, false}); }
  void linear(std::int64_t rows, std::int64_t cols) {
    matrix(rows, cols);
    vector(rows);
  }
  std::int64_t heads() const { return a_.num_attention_heads; }

  void toy_attention() {
    const std::int64_t c = a_.kv_lora_rank, cq = a_.q_lora_rank, value = heads() * a_.v_head_dim;
    linear(cq, d_);
    linear(heads() * a_.head_dim(), cq);
    linear(c, d_);
    linear(value, c);
    linear(d_, value);
  }

  void grouped_attention() {
    matrix(heads() * a_.head_dim(), d_);
    matrix(std::int64_t(a_.num_key_value_heads) * a_.head_dim(), d_, 2);
    matrix(d_, heads() * a_.v_head_dim);
  }

  void latent_attention() {
    const std::int64_t query = heads() * a_.head_dim(), cq = a_.q_lora_rank, trained = a_.latent_dim();
    if (cq > 0) {
      matrix(cq, d_);
      vector(cq);
    }
    matrix(query, cq > 0 ? cq : d_);
    matrix(trained + a_.qk_rope_head_dim, d_);
    vector(trained);
    if (a_.trained_kv_lora_rank > 0) matrix(a_.kv_lora_rank, a_.trained_kv_lora_rank);
    matrix(heads() * (a_.qk_nope_head_dim + a_.v_head_dim), a_.kv_lora_rank);
    matrix(d_, heads() * a_.v_head_dim);
  }

  void experts(const MoeSpec& moe) {
    const std::int64_t f = moe.moe_intermediate_size;
    visit_({1, moe.n_routed_experts, d_, false});
    if (moe.has_bias()) vector(moe.n_routed_experts);
    matrix(f, d_, 2 * std::int64_t(moe.n_routed_experts));
    matrix(d_, f, moe.n_routed_experts);
    if (moe.n_shared_experts == 0) return;
    matrix(moe.shared_width(), d_, 2);
    matrix(d_, moe.shared_width());
  }

  const ModelSpec& spec_;
  const AttentionSpec& a_;
  std::int64_t d_;
  const Visit& visit_;
};

}  // namespace

void for_each_parameter(const ModelSpec& spec, int layers, const Visit& visit) {
  Visitor visitor(spec, visit);
  visitor.outer();
  for (int l = 0; l < layers; ++l) visitor.layer(l);
}

std::int64_t parameter_count(const ModelSpec& spec, int layers) {
  std::int64_t total = 0;
  for_each_parameter(spec, layers, [&](const ParameterShape& shape) { total += shape.count * shape.rows * shape.cols; });
  return total;
}

std::int64_t parameter_bytes(const ModelSpec& spec, int layers, WeightsDtype dtype) {
  std::int64_t total = 0;
  for_each_parameter(spec, layers, [&](const ParameterShape& shape) {
    total += shape.count * shape.rows * weight_row_bytes(shape.narrows ? dtype : WeightsDtype::stored, shape.cols);
  });
  return total;
}

std::int64_t weight_row_bytes(WeightsDtype dtype, std::int64_t cols) {
  if (dtype == WeightsDtype::stored) return 4 * cols;
  return dtype == WeightsDtype::bf16 ? 2 * cols : cols + 2 * ((cols + kInt8Group - 1) / kInt8Group);
}

}  // namespace mla
