#include "core/attention/reference.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "core/attention/rope.h"

namespace mla {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using FloatMap = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;

Matrix matrix(const Weight& w) {
  std::vector<float> wide(w.narrow ? std::size_t(w.rows) * w.cols : 0);
  return FloatMap(w.read(*available_kernels().front(), 0, w.rows, wide.data()), w.rows, w.cols).cast<double>();
}

Matrix project(const Linear& linear, const Matrix& x) {
  Matrix y = x * matrix(linear.weight).transpose();
  if (linear.bias) y.rowwise() += matrix(linear.bias).col(0).transpose();
  return y;
}

Matrix rms_norm(const Weight& weight, const Matrix& x, double eps) {
  Matrix y = x;
  for (Eigen::Index i = 0; i < x.rows(); ++i)
    y.row(i) = x.row(i).cwiseProduct(matrix(weight).col(0).transpose()) / std::sqrt(x.row(i).squaredNorm() / x.cols() + eps);
  return y;
}

Matrix layer_norm(const Weight& weight, const Weight& bias, const Matrix& x) {
  Matrix y = x;
  for (Eigen::Index i = 0; i < x.rows(); ++i) {
    y.row(i).array() -= x.row(i).mean();
    y.row(i) /= std::sqrt(y.row(i).squaredNorm() / x.cols() + 1e-5);
    y.row(i) = y.row(i).cwiseProduct(matrix(weight).col(0).transpose()) + matrix(bias).col(0).transpose();
  }
  return y;
}

/// Rotates the pairs (2i, 2i+1) of every row by the angle of its index.
void rotate(const AttentionSpec& attention, Matrix& x) {
  const std::vector<double> frequencies = rope_frequencies(attention);
  const double amplitude = rope_amplitude(attention.rope);
  for (Eigen::Index t = 0; t < x.rows(); ++t)
    for (std::size_t i = 0; i < frequencies.size(); ++i) {
      const double angle = double(t) * frequencies[i], a = x(t, 2 * i), b = x(t, 2 * i + 1);
      x(t, 2 * i) = (a * std::cos(angle) - b * std::sin(angle)) * amplitude;
      x(t, 2 * i + 1) = (a * std::sin(angle) + b * std::cos(angle)) * amplitude;
    }
}

/// Queries, keys and values of one head, rotated but not scaled.
struct Head {
  Matrix q_nope, q_rope, k_nope, k_rope, v;
};

class Layer {
 public:
  Layer(const ModelSpec& spec, const LayerWeights& weights, const Matrix& x)
      : spec_(spec), a_(spec.attention), w_(weights.attention) {
    if (a_.is_mla()) {
      compress(x);
    } else {
      q_ = project(w_.q_proj, x);
      k_ = project(w_.k_proj, x);
      v_ = project(w_.v_proj, x);
    }
  }

  const Matrix& latent() const { return latent_; }
  const Matrix& rope_key() const { return rope_key_; }

  Head head(int h) const {
    const int n = a_.qk_nope_head_dim, r = a_.qk_rope_head_dim, v = a_.v_head_dim, dh = n + r;
    Head head;
    head.q_nope = q_.middleCols(h * dh, n);
    head.q_rope = q_.middleCols(h * dh + n, r);
    if (!a_.is_mla()) {
      const int group = h / (a_.num_attention_heads / a_.num_key_value_heads);
      head.k_nope = k_.middleCols(group * dh, n);
      head.k_rope = k_.middleCols(group * dh + n, r);
      head.v = v_.middleCols(group * dh, v);
      rotate(a_, head.k_rope);
    } else {
      const int width = spec_.block == BlockKind::toy ? v : n + v;
      head.k_nope = spec_.block == BlockKind::toy ? latent_ : Matrix(up_.middleCols(h * width, n));
      head.k_rope = rope_key_;
      head.v = up_.middleCols(h * width + width - v, v);
    }
    rotate(a_, head.q_rope);
    return head;
  }

 private:
  void compress(const Matrix& x) {
    const bool toy = spec_.block == BlockKind::toy;
    if (a_.q_lora_rank == 0) {
      q_ = project(w_.q_proj, x);
    } else {
      Matrix c = project(w_.q_a_proj, x);
      if (!toy) c = rms_norm(w_.q_a_layernorm, c, 1e-6);
      q_ = project(toy ? w_.q_proj : w_.q_b_proj, c);
    }
    const Matrix row = project(w_.kv_a_proj, x);
    latent_ = row.leftCols(a_.latent_dim());
    if (!toy) latent_ = rms_norm(w_.kv_a_layernorm, latent_, 1e-6);
    if (w_.kv_latent_proj) latent_ = latent_ * matrix(w_.kv_latent_proj).transpose();
    rope_key_ = row.rightCols(a_.qk_rope_head_dim);
    rotate(a_, rope_key_);
    up_ = project(w_.kv_b_proj, latent_);
  }

  const ModelSpec& spec_;
  const AttentionSpec& a_;
  const AttentionWeights& w_;
  Matrix q_, k_, v_, latent_, rope_key_, up_;
};

void softmax_causal(Matrix& scores) {
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    auto seen = scores.row(i).head(i + 1);
    const double top = seen.maxCoeff();
    seen = (seen.array() - top).exp().matrix().eval();
    seen /= seen.sum();
    scores.row(i).tail(scores.cols() - i - 1).setZero();
  }
}

std::vector<double> flat(const Matrix& m) { return {m.data(), m.data() + m.size()}; }

std::vector<double> lower(Matrix m) {
  m = Matrix(m.triangularView<Eigen::Lower>());
  return flat(m);
}

Matrix attend(const ModelSpec& spec, const LayerWeights& weights, const Matrix& x, ReferenceOutput& out) {
  const AttentionSpec& a = spec.attention;
  const double scale = score_scale(spec);
  const Layer layer(spec, weights, x);
  Matrix heads(x.rows(), a.num_attention_heads * a.v_head_dim);
  for (auto* maps : {&out.weights, &out.scores_nope, &out.scores_rope}) maps->emplace_back();
  for (int h = 0; h < a.num_attention_heads; ++h) {
    const Head head = layer.head(h);
    const Matrix nope = head.q_nope * head.k_nope.transpose() * scale, rope = head.q_rope * head.k_rope.transpose() * scale;
    Matrix p = nope + rope;
    softmax_causal(p);
    heads.middleCols(h * a.v_head_dim, a.v_head_dim) = p * head.v;
    out.weights.back().push_back(flat(p));
    out.scores_nope.back().push_back(lower(nope));
    out.scores_rope.back().push_back(lower(rope));
  }
  if (a.is_mla()) {
    Matrix rows(x.rows(), a.kv_lora_rank + a.qk_rope_head_dim);
    rows << layer.latent(), layer.rope_key();
    out.latents.push_back(flat(rows));
  }
  return project(weights.attention.o_proj, heads);
}

Matrix swiglu(const Linear& gate_proj, const Linear& up_proj, const Linear& down_proj, const Matrix& x) {
  Matrix gate = project(gate_proj, x);
  gate = gate.array() / (1 + (-gate.array()).exp());
  return project(down_proj, gate.cwiseProduct(project(up_proj, x)));
}

/// The expert with the highest value that is not taken yet and whose group is open; the lowest id among equals.
int best_expert(const Eigen::RowVectorXd& values, const std::vector<bool>& taken, const std::vector<bool>& open) {
  int best = -1;
  for (int e = 0; e < int(values.size()); ++e) {
    if (taken[e] || !open[std::size_t(e) * open.size() / std::size_t(values.size())]) continue;
    if (best < 0 || values[e] > values[best]) best = e;
  }
  return best;
}

/// Which groups may be chosen from: those with the highest sums of their best experts.
std::vector<bool> open_groups(const MoeSpec& moe, const Eigen::RowVectorXd& biased) {
  if (!moe.has_groups()) return {true};
  const int size = moe.n_routed_experts / moe.n_group;
  std::vector<double> scores;
  for (int g = 0; g < moe.n_group; ++g) {
    std::vector<double> group(biased.data() + g * size, biased.data() + (g + 1) * size);
    std::sort(group.rbegin(), group.rend());
    scores.push_back(moe.has_bias() ? group[0] + group[1] : group[0]);
  }
  std::vector<bool> open(scores.size());
  for (int i = 0; i < moe.topk_group; ++i) {
    int best = -1;
    for (int g = 0; g < moe.n_group; ++g)
      if (!open[g] && (best < 0 || scores[g] > scores[best])) best = g;
    open[best] = true;
  }
  return open;
}

/// Factors on all experts' outputs for one row of logits, 0 for those that are not chosen.
Eigen::RowVectorXd factors_of(const MoeSpec& moe, const MoeWeights& w, const Eigen::RowVectorXd& logits) {
  Eigen::RowVectorXd scores = 1 / (1 + (-logits.array()).exp());
  if (moe.scoring_func == ScoringFunc::softmax) {
    scores = (logits.array() - logits.maxCoeff()).exp();
    scores /= scores.sum();
  }
  Eigen::RowVectorXd biased = scores, factors = Eigen::RowVectorXd::Zero(scores.size());
  if (w.e_score_correction_bias) biased += matrix(w.e_score_correction_bias).col(0).transpose();
  const std::vector<bool> open = open_groups(moe, biased);
  std::vector<bool> taken(std::size_t(scores.size()));
  for (int i = 0; i < moe.num_experts_per_tok; ++i) {
    const int e = best_expert(biased, taken, open);
    taken[e] = true;
    factors[e] = scores[e];
  }
  if (moe.norm_topk_prob) factors /= factors.sum();
  return factors * moe.routed_scaling_factor;
}

/// All experts on all rows, most of them times 0.
Matrix mix_experts(const MoeSpec& moe, const MoeWeights& w, const Matrix& x) {
  const Matrix logits = project(w.gate, x);
  Matrix factors(x.rows(), moe.n_routed_experts), sum = Matrix::Zero(x.rows(), x.cols());
  for (Eigen::Index i = 0; i < x.rows(); ++i) factors.row(i) = factors_of(moe, w, logits.row(i));
  for (int e = 0; e < moe.n_routed_experts; ++e) {
    const ExpertWeights& expert = w.experts[e];
    sum += factors.col(e).asDiagonal() * swiglu(expert.gate_proj, expert.up_proj, expert.down_proj, x);
  }
  const ExpertWeights& shared = w.shared_experts;
  if (moe.n_shared_experts > 0) sum += swiglu(shared.gate_proj, shared.up_proj, shared.down_proj, x);
  return sum;
}

Matrix feed_forward(const ModelSpec& spec, std::size_t l, const LayerWeights& layer, const Matrix& x) {
  if (spec.block == BlockKind::toy) return project(layer.down_proj, project(layer.gate_proj, x).cwiseMax(0.0));
  if (spec.is_moe_layer(int(l))) return mix_experts(*spec.moe, layer.moe, x);
  return swiglu(layer.gate_proj, layer.up_proj, layer.down_proj, x);
}

}  // namespace

ReferenceOutput reference_forward(const ModelSpec& spec, const ModelWeights& weights, std::span<const float> inputs) {
  const int d = spec.attention.hidden_size;
  Matrix x = FloatMap(inputs.data(), Eigen::Index(inputs.size()) / d, d).cast<double>();
  ReferenceOutput out;
  for (std::size_t l = 0; l < weights.layers.size(); ++l) {
    const LayerWeights& layer = weights.layers[l];
    if (spec.block == BlockKind::toy) {
      x = layer_norm(layer.input_norm, layer.input_norm_bias, x + attend(spec, layer, x, out));
      x = layer_norm(layer.post_norm, layer.post_norm_bias, x + feed_forward(spec, l, layer, x));
      continue;
    }
    x += attend(spec, layer, rms_norm(layer.input_norm, x, spec.rms_norm_eps), out);
    if (spec.block == BlockKind::decoder) x += feed_forward(spec, l, layer, rms_norm(layer.post_norm, x, spec.rms_norm_eps));
  }
  out.hidden = flat(x);
  if (weights.lm_head) out.logits = flat(rms_norm(weights.norm, x, spec.rms_norm_eps) * matrix(weights.lm_head).transpose());
  return out;
}

ReferenceLayer reference_layer(const ModelSpec& spec, const LayerWeights& weights, std::span<const float> hidden) {
  const int d = spec.attention.hidden_size;
  Matrix x = FloatMap(hidden.data(), Eigen::Index(hidden.size()) / d, d).cast<double>();
  if (spec.block != BlockKind::toy) x = rms_norm(weights.input_norm, x, spec.rms_norm_eps);
  const Layer layer(spec, weights, x);
  ReferenceLayer out{{}, flat(layer.latent())};
  for (int h = 0; h < spec.attention.num_attention_heads; ++h) {
    const Head head = layer.head(h);
    out.heads.push_back({flat(head.q_nope), flat(head.q_rope), flat(head.k_nope), flat(head.k_rope)});
  }
  return out;
}

void reference_rotate(const RopeSpec& rope, int width, std::vector<double>& x) {
  Matrix rows = Eigen::Map<const Matrix>(x.data(), Eigen::Index(x.size()) / width, width);
  AttentionSpec columns;
  columns.rope = rope;
  columns.qk_rope_head_dim = width;
  rotate(columns, rows);
  x = flat(rows);
}

}  // namespace mla
