#include "core/analysis/coupled_rope.h"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <new>

#include "core/attention/reference.h"
#include "core/attention/rope.h"

namespace mla {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Map = Eigen::Map<const Matrix>;

Matrix rows_of(const std::vector<double>& values, int width) {
  return Map(values.data(), width > 0 ? Eigen::Index(values.size()) / width : 0, width);
}

Matrix rotated(const RopeSpec& rope, std::vector<double> values, int width) {
  reference_rotate(rope, width, values);
  return rows_of(values, width);
}

/// W_UK of one head, [n, c].
Matrix key_projection(const AttentionSpec& a, const AttentionWeights& weights, int head) {
  const int n = a.qk_nope_head_dim, c = a.kv_lora_rank;
  const float* first = weights.kv_b_proj.weight.data() + std::ptrdiff_t(head) * (n + a.v_head_dim) * c;
  using FloatMap = Eigen::Map<const Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>>;
  return FloatMap(first, n, c).cast<double>();
}

std::vector<float> lower(const Matrix& m) {
  std::vector<float> out(std::size_t(m.size()), 0.0f);
  for (Eigen::Index i = 0; i < m.rows(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) out[std::size_t(i * m.cols() + j)] = float(m(i, j));
  return out;
}

Matrix softmax(Matrix scores) {
  for (Eigen::Index i = 0; i < scores.rows(); ++i) {
    auto seen = scores.row(i).head(i + 1);
    seen = (seen.array() - seen.maxCoeff()).exp().matrix().eval();
    seen /= seen.sum();
  }
  return scores;
}

ScoreForms compare(const Matrix& expanded, const Matrix& absorbed) {
  const Matrix first = softmax(expanded), second = softmax(absorbed);
  ScoreForms forms{lower(expanded), lower(absorbed), lower(first), lower(second)};
  for (Eigen::Index i = 0; i < expanded.rows(); ++i)
    for (Eigen::Index j = 0; j <= i; ++j) {
      const double difference = std::abs(expanded(i, j) - absorbed(i, j));
      forms.largest = std::max(forms.largest, difference);
      forms.mean += difference;
      forms.largest_weight = std::max(forms.largest_weight, std::abs(first(i, j) - second(i, j)));
    }
  forms.mean /= double(expanded.rows()) * double(expanded.rows() + 1) / 2;
  return forms;
}

CoupledHead couple_head(const ModelSpec& spec, const LayerWeights& weights, const ReferenceLayer& layer, int h) {
  const AttentionSpec& a = spec.attention;
  const int n = a.qk_nope_head_dim, r = a.qk_rope_head_dim;
  const ReferenceHead& head = layer.heads[h];
  const Matrix up = key_projection(a, weights.attention, h), latents = rows_of(layer.latents, a.kv_lora_rank);
  const Matrix query = rows_of(head.q_nope, n), key = rows_of(head.k_nope, n);
  const Matrix turned_query = rotated(a.rope, head.q_nope, n), turned_key = rotated(a.rope, head.k_nope, n);
  Matrix rope = Matrix::Zero(query.rows(), query.rows());
  if (r > 0) rope = rows_of(head.q_rope, r) * rows_of(head.k_rope, r).transpose();
  const double scale = score_scale(spec);
  const auto scores = [&](const Matrix& nope) -> Matrix { return (nope + rope) * scale; };
  const auto folded = [&](const Matrix& q) -> Matrix { return (q * up) * latents.transpose(); };
  return {compare(scores(query * key.transpose()), scores(folded(query))),
          compare(scores(turned_query * turned_key.transpose()), scores(folded(turned_query)))};
}

Status check(const LoadedModel& model, int layer) {
  const ModelSpec& spec = model.experiment.spec;
  const std::string text = "coupled RoPE: ";
  if (!spec.attention.is_mla() || spec.block == BlockKind::toy)
    return Error{text + title_of(spec.attention) +
                 (spec.attention.is_mla() ? " of the tutorial has no key up-projection" : " has nothing to absorb") +
                 ", it takes an MLA model with NoPE keys"};
  if (spec.attention.qk_nope_head_dim < 2)
    return Error{text + "qk_nope_head_dim is " + std::to_string(spec.attention.qk_nope_head_dim) +
                 ": must be at least 2, RoPE turns pairs"};
  if (layer < 0 || layer >= model.experiment.layers)
    return Error{text + "layer is " + std::to_string(layer) + ": must be from 0 to " +
                 std::to_string(model.experiment.layers - 1)};
  return {};
}

template <class Of>
double largest_of(const CoupledRope& rope, Of of) {
  double largest = 0;
  for (const CoupledHead& head : rope.heads) largest = std::max(largest, of(head));
  return largest;
}

}  // namespace

double CoupledRope::largest_decoupled() const {
  return largest_of(*this, [](const CoupledHead& head) { return head.decoupled.largest; });
}

double CoupledRope::largest_coupled() const {
  return largest_of(*this, [](const CoupledHead& head) { return head.coupled.largest; });
}

int CoupledRope::worst_head() const {
  const auto worst = std::max_element(heads.begin(), heads.end(), [](const CoupledHead& a, const CoupledHead& b) {
    return a.coupled.largest < b.coupled.largest;
  });
  return int(worst - heads.begin());
}

Result<std::vector<float>> layer_input(const LoadedModel& model, int layer, std::span<const int> tokens,
                                       ComputeBackend& backend, std::stop_token stop) {
  const int vocab = model.experiment.spec.vocab_size, d = model.experiment.spec.attention.hidden_size;
  if (tokens.empty()) return Error{"coupled RoPE: no tokens were given"};
  for (const int token : tokens)
    if (token < 0 || token >= vocab)
      return Error{"coupled RoPE: token " + std::to_string(token) + ": the vocabulary has " + std::to_string(vocab) +
                   " ids"};
  if (layer == 0) {
    std::vector<float> embedded;
    for (const int token : tokens) {
      const float* row = model.weights->embed_tokens.data() + std::ptrdiff_t(token) * d;
      embedded.insert(embedded.end(), row, row + d);
    }
    return embedded;
  }
  Experiment experiment = model.experiment;
  experiment.layers = layer;
  experiment.context = int(tokens.size());
  experiment.prefill = 0;
  experiment.batch = 1;
  auto headless = std::make_shared<ModelWeights>(*model.weights);  // nobody asks for logits
  headless->lm_head = {};
  auto executor = backend.create(experiment, std::move(headless));
  if (!executor) return executor.error();
  ForwardInput input;
  input.tokens = tokens;
  input.count = int(tokens.size());
  input.all_outputs = true;
  input.stop = std::move(stop);
  auto output = (*executor)->forward(input);
  if (!output) return output.error();
  if (output->cancelled) return Error{"cancelled"};
  return std::move(output->hidden);
}

Result<CoupledRope> couple_rope(const LoadedModel& model, int layer, std::span<const float> hidden) {
  if (Status good = check(model, layer); !good) return good.error();
  const ModelSpec& spec = model.experiment.spec;
  const int n = spec.attention.qk_nope_head_dim;
  try {
    const LayerWeights& weights = model.weights->layers[layer];
    const ReferenceLayer reference = reference_layer(spec, weights, hidden);
    CoupledRope out{layer, int(hidden.size()) / spec.attention.hidden_size, n - n % 2, {}};
    for (int h = 0; h < spec.attention.num_attention_heads; ++h)
      out.heads.push_back(couple_head(spec, weights, reference, h));
    return out;
  } catch (const std::bad_alloc&) {
    return Error{"coupled RoPE: out of memory; give fewer tokens"};
  }
}

Result<CoupledRope> coupled_rope(const LoadedModel& model, int layer, std::span<const int> tokens, ComputeBackend& backend,
                                 std::stop_token stop) {
  if (Status good = check(model, layer); !good) return good.error();
  const auto hidden = layer_input(model, layer, tokens, backend, std::move(stop));
  if (!hidden) return hidden.error();
  return couple_rope(model, layer, *hidden);
}

}  // namespace mla
