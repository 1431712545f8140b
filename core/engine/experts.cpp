#include "core/engine/experts.h"

#include <algorithm>
#include <vector>

#include "core/model/routing.h"

namespace mla {
namespace {

/// A row that an expert takes, and the factor on what it makes of it.
struct Visit {
  int row;
  float weight;
};

/// The visits to each expert [n_routed_experts], rows in order.
std::vector<std::vector<Visit>> visits_of(const MoeSpec& moe, const MoeWeights& weights, const float* x, int rows,
                                          Compute& compute) {
  const std::size_t experts = std::size_t(moe.n_routed_experts);
  std::vector<float> logits(std::size_t(rows) * experts);
  compute.linear(weights.gate, x, rows, logits.data());
  const float* const bias = weights.e_score_correction_bias ? weights.e_score_correction_bias.data() : nullptr;
  std::vector<std::vector<Visit>> visits(experts);
  for (int i = 0; i < rows; ++i)
    for (const Route& r : route(moe, std::span(logits).subspan(std::size_t(i) * experts, experts), bias))
      visits[r.expert].push_back({i, r.weight});
  return visits;
}

void add_expert(const ExpertWeights& expert, const std::vector<Visit>& visits, const float* x, int d, Compute& compute,
                float* out) {
  std::vector<float> in(visits.size() * d), made(in.size());
  for (std::size_t i = 0; i < visits.size(); ++i) std::copy_n(x + std::ptrdiff_t(visits[i].row) * d, d, in.data() + i * d);
  swiglu(expert.gate_proj, expert.up_proj, expert.down_proj, in.data(), int(visits.size()), compute, made.data());
  for (std::size_t i = 0; i < visits.size(); ++i) {
    float* const row = out + std::ptrdiff_t(visits[i].row) * d;
    for (int j = 0; j < d; ++j) row[j] += visits[i].weight * made[i * d + j];
  }
}

}  // namespace

void swiglu(const Linear& gate_proj, const Linear& up_proj, const Linear& down_proj, const float* x, int rows,
            Compute& compute, float* out) {
  std::vector<float> inner(std::size_t(rows) * gate_proj.weight.rows), up(inner.size());
  compute.linear(gate_proj, x, rows, inner.data());
  compute.linear(up_proj, x, rows, up.data());
  compute.kernels.silu_multiply(inner.data(), up.data(), int(inner.size()));
  compute.linear(down_proj, inner.data(), rows, out);
}

void mix_experts(const MoeSpec& moe, const MoeWeights& weights, const float* x, int rows, Compute& compute, float* out) {
  const int d = weights.gate.weight.cols;
  std::fill_n(out, std::size_t(rows) * d, 0.0f);
  const std::vector<std::vector<Visit>> visits = visits_of(moe, weights, x, rows, compute);
  for (std::size_t e = 0; e < visits.size(); ++e)
    if (!visits[e].empty()) add_expert(weights.experts[e], visits[e], x, d, compute, out);
  if (moe.n_shared_experts == 0) return;
  std::vector<float> shared(std::size_t(rows) * d);
  const ExpertWeights& s = weights.shared_experts;
  swiglu(s.gate_proj, s.up_proj, s.down_proj, x, rows, compute, shared.data());
  for (std::size_t i = 0; i < shared.size(); ++i) out[i] += shared[i];
}

}  // namespace mla
