#include "gpu/engine/feed_forward.h"

#include "gpu/ops/experts.h"
#include "gpu/ops/rows.h"

namespace mla::gpu {
namespace {

constexpr int kFewVisits = 32;  // for which an expert's weights are read anew by each

/// out[rows, d] = SwiGLU(x)
void swiglu(const Linear& gate_proj, const Linear& up_proj, const Linear& down_proj, float* x, int rows, float* out,
            DeviceCompute& compute) {
  const std::int64_t size = std::int64_t(rows) * gate_proj.weight.rows;
  float* const inner = compute.scratch.get(Slot::inner, size);
  float* const up = compute.scratch.get(Slot::inner_up, size);
  compute.linear(gate_proj, x, rows, inner);
  compute.linear(up_proj, x, rows, up);
  silu_multiply(compute.stream, inner, up, size);
  compute.linear(down_proj, inner, rows, out);
}

/// The routed experts of some rows.
class ExpertMix {
 public:
  ExpertMix(const MoeSpec& moe, const MoeWeights& weights, const ExpertTables& tables, int rows, DeviceCompute& compute)
      : moe_(moe), weights_(weights), tables_(tables), rows_(rows), compute_(compute) {}

  /// [visits, d]: what each row's experts make of it.
  float* run(float* x, int* touched) {
    route(x);
    if (rows_ > 1) sort(touched);
    const int d = weights_.gate.weight.cols, f = moe_.moe_intermediate_size;
    float* const inner = compute_.scratch.get(Slot::visit_inner, std::int64_t(visits()) * f);
    float* const up = compute_.scratch.get(Slot::visit_up, std::int64_t(visits()) * f);
    float* const made = compute_.scratch.get(Slot::visit_made, std::int64_t(visits()) * d);
    multiply(tables_.gate, &ExpertWeights::gate_proj, {x, d}, moe_.num_experts_per_tok, {inner, f});
    multiply(tables_.up, &ExpertWeights::up_proj, {x, d}, moe_.num_experts_per_tok, {up, f});
    silu_multiply(compute_.stream, inner, up, std::int64_t(visits()) * f);
    multiply(tables_.down, &ExpertWeights::down_proj, {inner, f}, 1, {made, d});
    return made;
  }
  const float* route_weights() const { return routes_.weight; }

 private:
  int visits() const { return rows_ * moe_.num_experts_per_tok; }

  void route(float* x) {
    float* const logits = compute_.scratch.get(Slot::router, std::int64_t(rows_) * moe_.n_routed_experts);
    compute_.linear(weights_.gate, x, rows_, logits);
    routes_ = {compute_.scratch.get<int>(Slot::route_experts, visits()),
               compute_.scratch.get(Slot::route_weights, visits())};
    double* const scores = compute_.scratch.get<double>(Slot::router_scores, routing_scratch(moe_, rows_));
    route_rows(compute_.stream, moe_, logits, compute_.vector(weights_.e_score_correction_bias), rows_, scores, routes_);
  }

  void sort(int* touched) {
    order_ = {compute_.scratch.get<int>(Slot::visit_order, visits()),
              compute_.scratch.get<VisitTile>(Slot::visit_tiles, most_visit_tiles(moe_, rows_)), touched};
    sort_visits(compute_.stream, moe_, routes_, rows_, order_);
  }

  /// The weights are counted by who knows how many experts were touched.
  void multiply(const Array<Matrix>& table, Linear ExpertWeights::*which, Rows x, int share, Rows y) {
    const Weight& weight = (weights_.experts.front().*which).weight;
    const ExpertProduct product{table.data(), compute_.matrix(weight), routes_.expert, visits(), share, x, y};
    visits() <= kFewVisits || rows_ == 1 ? multiply_visits(compute_.stream, product)
                                         : multiply_tiles(compute_.stream, product, order_, most_visit_tiles(moe_, rows_));
    compute_.work.count_product(visits(), weight.rows, weight.cols, 0);
  }

  const MoeSpec& moe_;
  const MoeWeights& weights_;
  const ExpertTables& tables_;
  int rows_;
  DeviceCompute& compute_;
  Routes routes_;
  VisitOrder order_;
};

void mix_experts(const MoeSpec& moe, int layer, const MoeWeights& weights, float* x, int rows, int* touched, float* out,
                 DeviceCompute& compute) {
  const int d = weights.gate.weight.cols;
  ExpertMix mix(moe, weights, *compute.model.experts(layer), rows, compute);
  const float* const made = mix.run(x, touched);
  float* shared = nullptr;
  if (moe.n_shared_experts > 0) {
    shared = compute.scratch.get(Slot::shared, std::int64_t(rows) * d);
    const ExpertWeights& s = weights.shared_experts;
    swiglu(s.gate_proj, s.up_proj, s.down_proj, x, rows, shared, compute);
  }
  sum_experts(compute.stream, {made, mix.route_weights(), shared, out, rows, moe.num_experts_per_tok, d});
}

}  // namespace

float* feed_forward(const ModelSpec& spec, int layer, const LayerWeights& weights, float* x, int rows, int* touched,
                    DeviceCompute& compute) {
  const int d = spec.attention.hidden_size;
  float* const out = compute.scratch.get(Slot::added, std::int64_t(rows) * d);
  if (spec.block == BlockKind::toy) {
    const std::int64_t size = std::int64_t(rows) * spec.intermediate_size;
    float* const inner = compute.scratch.get(Slot::inner, size);
    compute.linear(weights.gate_proj, x, rows, inner);
    relu(compute.stream, inner, size);
    compute.linear(weights.down_proj, inner, rows, out);
    return out;
  }
  const Rows normed{compute.scratch.get(Slot::normed, std::int64_t(rows) * d), d};
  compute.rms_norm(weights.post_norm, spec.rms_norm_eps, {x, d}, rows, normed);
  if (spec.is_moe_layer(layer)) {
    mix_experts(*spec.moe, layer, weights.moe, normed.data, rows, touched, out, compute);
  } else {
    swiglu(weights.gate_proj, weights.up_proj, weights.down_proj, normed.data, rows, out, compute);
  }
  return out;
}

std::int64_t expert_bytes(const LayerWeights& weights) {
  if (weights.moe.experts.empty()) return 0;
  const ExpertWeights& expert = weights.moe.experts.front();
  return expert.gate_proj.weight.bytes() + expert.up_proj.weight.bytes() + expert.down_proj.weight.bytes();
}

}  // namespace mla::gpu
