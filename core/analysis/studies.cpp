#include "core/analysis/studies.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace mla {
namespace {

constexpr std::size_t kCoupledTokens = 64;  // maps of more would have cells smaller than a pixel in a small picture
constexpr std::size_t kRankTokens = 1024;
constexpr std::size_t kHeadTokens = 256;
constexpr int kWindow = 256;
constexpr int kInductionLength = 50;
constexpr std::size_t kPrecisionTokens = 96;

std::span<const int> first_of(const StudyText& text, std::size_t count) {
  return std::span(text.tokens).first(std::min(count, text.tokens.size()));
}

int window_of(const LoadedModel& model) { return std::min(kWindow, model.experiment.spec.max_position_embeddings); }

/// The same model with weights as stored: decompositions read them as fp32.
Result<LoadedModel> as_stored(const LoadedModel& model, std::stop_token stop) {
  if (model.experiment.weights_dtype == WeightsDtype::stored) return model;
  Experiment experiment = model.experiment;
  experiment.weights_dtype = WeightsDtype::stored;
  return load(experiment, model.weights.get(), {}, std::move(stop));
}

}  // namespace

Result<StudyText> study_text(const LoadedModel& model, const Result<std::string>& excerpt) {
  const Result<Vocabulary> vocabulary = vocabulary_of(model.experiment);
  if (excerpt && vocabulary && vocabulary->has_text()) {
    auto tokens = vocabulary->encode(*excerpt, model.experiment.spec.vocab_size);
    if (tokens) return StudyText{std::move(*tokens), "the excerpt of fairy tales"};
  }
  auto prompt = prompt_of(model.experiment);
  if (!prompt) return prompt.error();
  return StudyText{std::move(*prompt), "the prompt"};
}

Result<RankCurve> study_ranks(const LoadedModel& any, const StudyText& text, ComputeBackend& backend,
                              const Progress& progress, std::stop_token stop) {
  const Result<LoadedModel> stored = as_stored(any, stop);
  if (!stored) return stored.error();
  const LoadedModel& model = *stored;
  const auto half = [&progress](double from) -> Progress {
    return [&progress, from](double fraction) {
      if (progress) progress(from + fraction / 2);
    };
  };
  LoadedModel whole = model;
  whole.experiment.spec = without_lens(model.experiment.spec);
  std::shared_ptr<const RankFactors> factors;
  if (const auto& lens = model.weights->lens) {
    whole.weights = lens->whole;
    factors = lens->factors;
  } else {
    auto made = factor_latent(whole.experiment.spec, *whole.weights, whole.experiment.threads, half(0), stop);
    if (!made) return made.error();
    factors = *made;
  }
  auto curve = measure_ranks(whole, *factors, usual_ranks(factors->full_rank()), first_of(text, kRankTokens),
                             window_of(whole), backend, half(0.5), std::move(stop));
  if (curve) curve->text = text.name;
  return curve;
}

Result<CoupledRope> study_coupling(const LoadedModel& any, const StudyText& text, ComputeBackend& backend,
                                   const Progress& progress, std::stop_token stop) {
  const Result<LoadedModel> stored = as_stored(any, stop);
  if (!stored) return stored.error();
  const LoadedModel& model = *stored;
  std::optional<CoupledRope> worst;
  const int layers = model.experiment.layers;
  for (int layer = 0; layer < layers; ++layer) {
    auto rope = coupled_rope(model, layer, first_of(text, kCoupledTokens), backend, stop);
    if (!rope) return rope.error();
    if (!worst || rope->largest_coupled() > worst->largest_coupled()) worst = std::move(*rope);
    if (progress) progress(double(layer + 1) / layers);
  }
  return std::move(*worst);
}

Result<std::vector<HeadScore>> study_heads(const LoadedModel& model, const StudyText& text, ComputeBackend& backend,
                                           const Progress& progress, std::stop_token stop) {
  const std::span<const int> tokens = first_of(text, std::min<std::size_t>(kHeadTokens, window_of(model)));
  const auto run = run_held_out(model, tokens, int(tokens.size()), backend, {}, stop);
  if (!run) return run.error();
  const auto induction =
      induction_scores(model, kInductionLength, model.experiment.seed, backend, progress, std::move(stop));
  if (!induction) return induction.error();
  return with_induction(head_scores(run->windows.front().attention), *induction);
}

Result<CacheError> study_precision(const LoadedModel& model, const Result<std::string>& excerpt, ComputeBackend& backend,
                                   const Progress& progress, std::stop_token stop) {
  const Experiment& e = model.experiment;
  const std::size_t most = std::size_t(std::min(e.spec.max_position_embeddings, int(kPrecisionTokens)));
  std::vector<int> tokens(most, -1);
  if (e.spec.vocab_size > 0) {
    const Result<StudyText> text = study_text(model, excerpt);
    if (!text) return text.error();
    const std::span<const int> first = first_of(*text, most);
    tokens.assign(first.begin(), first.end());
  }
  return measure_cache_error(model, tokens, backend, progress, std::move(stop));
}

}  // namespace mla
