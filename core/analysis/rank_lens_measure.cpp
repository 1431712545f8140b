#include "core/analysis/rank_lens_measure.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/analysis/memory.h"
#include "core/analysis/quality.h"
#include "core/engine/decoder.h"
#include "core/spec/cache_row.h"

namespace mla {
namespace {

/// log of the sum of exp of the logits.
double log_sum(std::span<const float> logits) {
  const double top = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float x : logits) sum += std::exp(double(x) - top);
  return top + std::log(sum);
}

Result<WindowRun> run_window(const LoadedModel& model, std::span<const int> tokens, ComputeBackend& backend,
                             std::stop_token stop) {
  Experiment experiment = model.experiment;
  experiment.context = int(tokens.size());
  experiment.prefill = 0;
  experiment.batch = 1;
  experiment.prompt.clear();
  auto decoder = Decoder::create(experiment, backend, model.weights);
  if (!decoder) return decoder.error();
  (*decoder)->keep_outputs(true);
  auto trace = (*decoder)->prefill(tokens, {TraceRequest::Layers::all, 0}, std::move(stop));
  if (!trace) return trace.error();
  return WindowRun{{tokens.begin(), tokens.end()}, (*decoder)->outputs(), std::move(trace->attention)};
}

/// Sums over windows, until they become means.
class Comparison {
 public:
  explicit Comparison(int layers) : change_(layers), rows_(layers) {}

  void add(const WindowRun& full, const WindowRun& truncated) {
    const std::size_t vocab = full.logits.size() / full.tokens.size();
    for (std::size_t t = 0; t + 1 < full.tokens.size(); ++t) {
      const std::span p(full.logits.data() + t * vocab, vocab), q(truncated.logits.data() + t * vocab, vocab);
      kl_ += kl_bits(p, q);
      full_bits_ += surprise_bits(p, full.tokens[t + 1]);
      bits_ += surprise_bits(q, full.tokens[t + 1]);
      ++tokens_;
    }
    for (std::size_t i = 0; i < full.attention.size(); ++i) add(*full.attention[i], *truncated.attention[i]);
  }

  RankPoint point(const TruncatedModel& truncated, const Experiment& experiment) const {
    RankPoint point;
    point.rank = truncated.rank;
    const std::vector<RowSegment> row = truncated.spec.attention.is_mla()
                                            ? cache_row(truncated.spec, AttentionPath::absorbed)
                                            : std::vector<RowSegment>{{truncated.rank}};
    point.bytes_per_token = row_bytes(row, experiment.cache_dtype) * experiment.spec.num_hidden_layers;
    point.energy_kept = truncated.energy_kept;
    for (std::size_t l = 0; l < change_.size(); ++l) point.map_change.push_back(change_[l] / double(rows_[l]));
    point.kl_bits = kl_ / double(tokens_);
    point.bits = bits_ / double(tokens_);
    point.full_bits = full_bits_ / double(tokens_);
    point.tokens = tokens_;
    return point;
  }

 private:
  void add(const AttentionRow& full, const AttentionRow& truncated) {
    for (int h = 0; h < full.heads; ++h) {
      const std::size_t at = std::size_t(h) * full.keys, keys = full.keys;
      change_[full.layer] += total_variation({full.weights.data() + at, keys}, {truncated.weights.data() + at, keys});
    }
    rows_[full.layer] += full.heads;
  }

  std::vector<double> change_;
  std::vector<std::int64_t> rows_;
  double kl_ = 0, full_bits_ = 0, bits_ = 0;
  std::int64_t tokens_ = 0;
};

Status check(const LoadedModel& model, std::span<const int> tokens, int window) {
  if (model.experiment.spec.vocab_size == 0)
    return Error{"rank lens: the model has no vocabulary, so there is no distribution to compare"};
  if (window < 2) return Error{"rank lens: window is " + std::to_string(window) + ": must be at least 2"};
  if (tokens.size() < 2)
    return Error{"rank lens: the held-out text has " + std::to_string(tokens.size()) + " tokens, must have at least 2"};
  return {};
}

/// Progress of one part among several equal ones.
Progress part_of(const Progress& progress, std::size_t part, std::size_t parts) {
  if (!progress) return {};
  return [&progress, part, parts](double fraction) { progress((double(part) + fraction) / double(parts)); };
}

}  // namespace

double kl_bits(std::span<const float> p, std::span<const float> q) {
  const double log_p = log_sum(p), log_q = log_sum(q);
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double a = p[i] - log_p;
    const double weight = std::exp(a);
    if (weight > 0) sum += weight * (a - (q[i] - log_q));
  }
  return std::max(0.0, sum / std::numbers::ln2);
}

double surprise_bits(std::span<const float> logits, int token) {
  return -log_probability(logits, token) / std::numbers::ln2;
}

double total_variation(std::span<const float> p, std::span<const float> q) {
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) sum += std::abs(double(p[i]) - q[i]);
  return sum / 2;
}

Result<HeldOut> run_held_out(const LoadedModel& model, std::span<const int> tokens, int window, ComputeBackend& backend,
                             const Progress& progress, std::stop_token stop) {
  if (Status good = check(model, tokens, window); !good) return good.error();
  HeldOut out{model, {}};
  for (std::size_t first = 0; first + 1 < tokens.size(); first += window) {
    const std::size_t count = std::min<std::size_t>(window, tokens.size() - first);
    auto run = run_window(model, tokens.subspan(first, count), backend, stop);
    if (!run) return run.error();
    out.windows.push_back(std::move(*run));
    if (progress) progress(double(first + count) / double(tokens.size()));
  }
  return out;
}

Result<RankPoint> measure_rank(const HeldOut& full, const TruncatedModel& truncated, ComputeBackend& backend,
                               const Progress& progress, std::stop_token stop) {
  LoadedModel model = full.model;
  model.weights = truncated.weights;
  model.experiment.spec = truncated.spec;
  Comparison comparison(model.experiment.layers);
  for (std::size_t w = 0; w < full.windows.size(); ++w) {
    const auto run = run_window(model, full.windows[w].tokens, backend, stop);
    if (!run) return run.error();
    comparison.add(full.windows[w], *run);
    if (progress) progress(double(w + 1) / double(full.windows.size()));
  }
  return comparison.point(truncated, model.experiment);
}

std::vector<int> usual_ranks(int full_rank) {
  std::vector<int> ranks{full_rank};
  int power = 1;
  while (2 * power < full_rank) power *= 2;
  for (; power >= 1 && power < full_rank; power /= 2) ranks.push_back(power);
  return ranks;
}

Result<RankCurve> measure_ranks(const LoadedModel& model, const RankFactors& factors, std::span<const int> ranks,
                                std::span<const int> tokens, int window, ComputeBackend& backend, const Progress& progress,
                                std::stop_token stop) {
  const std::size_t parts = ranks.size() + 1;
  const auto full = run_held_out(model, tokens, window, backend, part_of(progress, 0, parts), stop);
  if (!full) return full.error();
  const Experiment& e = model.experiment;
  RankCurve curve;
  curve.model = e.model.empty() ? title_of(e.spec.attention) : e.model;
  curve.full_rank = factors.full_rank();
  const AttentionPath cached = e.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded;
  curve.full_bytes_per_token = cache_bytes_per_token(e.spec, cached, e.cache_dtype, e.spec.num_hidden_layers);
  curve.note = rank_note(e.spec);
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const auto truncated = truncate_latent(*model.weights, factors, ranks[i], e.threads);
    if (!truncated) return truncated.error();
    auto point = measure_rank(*full, *truncated, backend, part_of(progress, i + 1, parts), stop);
    if (!point) return point.error();
    curve.points.push_back(std::move(*point));
  }
  return curve;
}

}  // namespace mla
