#include "ui/session/study.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "core/analysis/quality.h"
#include "core/engine/run.h"
#include "core/spec/parameters.h"
#include "ui/session/snapshot.h"

namespace mla::ui {
namespace {

constexpr std::int64_t kMostParameters = 50'000'000;

/// Paths agree up to rounding, and what is sampled or how fast does not matter.
Experiment essence_of(const Experiment& experiment) {
  Experiment essence = default_experiment();
  essence.model = experiment.model;
  essence.spec = experiment.spec;
  essence.layers = experiment.layers;
  essence.cache_dtype = experiment.cache_dtype;
  essence.weights_dtype = experiment.weights_dtype;
  essence.context = experiment.context;
  essence.path = experiment.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded;
  essence.threads = 1;
  return essence;
}

Study study_of(Topic topic, Experiment experiment) {
  std::string key = std::to_string(int(topic)) + ' ' + to_json(experiment);
  return {topic, {std::move(experiment)}, std::move(key)};
}

/// Neither the precisions nor the context matter.
Study at_any_precision(Topic topic, const Experiment& experiment) {
  Experiment essence = essence_of(experiment);
  essence.cache_dtype = CacheDtype::fp32;
  essence.weights_dtype = WeightsDtype::stored;
  essence.context = default_experiment().context;
  return study_of(topic, std::move(essence));
}

/// Costs depend on every setting.
Study comparison_of(const Subject& subject) {
  std::string key = std::to_string(int(Topic::comparison)) + ' ' + to_json(subject.experiment) + to_json(*subject.other) +
                    std::to_string(subject.layer);
  for (const int token : subject.tokens) key += ' ' + std::to_string(token);
  return {Topic::comparison, subject, std::move(key)};
}

template <class T>
void keep(Result<T> outcome, std::shared_ptr<const T>& where, Finding& finding) {
  if (outcome)
    where = std::make_shared<const T>(std::move(*outcome));
  else
    finding.error = outcome.error().message;
}

Finding study_model(const Study& study, const LoadedModel& model, const Result<std::string>& excerpt,
                    const Progress& progress, std::stop_token stop) {
  const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  Finding finding;
  if (study.topic == Topic::quality) {
    if (!excerpt) return {.error = excerpt.error().message};
    const auto quality = measure_quality(model, *backend, *excerpt, progress, std::move(stop));
    if (!quality) return {.error = quality.error().message};
    return {.error = {}, .bits_per_byte = quality->bits_per_byte()};
  }
  if (study.topic == Topic::precision) {
    const auto error = study_precision(model, excerpt, *backend, progress, std::move(stop));
    if (!error) return {.error = error.error().message};
    finding.precision = *error;
    return finding;
  }
  const Result<StudyText> text = study_text(model, excerpt);
  if (!text) return {.error = text.error().message};
  if (study.topic == Topic::heads) keep(study_heads(model, *text, *backend, progress, stop), finding.heads, finding);
  if (study.topic == Topic::rank) keep(study_ranks(model, *text, *backend, progress, stop), finding.rank, finding);
  if (study.topic == Topic::coupling) keep(study_coupling(model, *text, *backend, progress, stop), finding.coupled, finding);
  return finding;
}

/// The pinned run comes first: the present one is what changed.
Finding compare_models(const Subject& subject, const LoadedModel& present, const Progress& progress, std::stop_token stop) {
  Finding finding;
  const Result<LoadedModel> pinned = load(*subject.other, present.weights.get(), {}, stop);
  if (!pinned) return {.error = pinned.error().message};
  const std::unique_ptr<ComputeBackend> backend = make_cpu_backend();
  keep(compare(*pinned, present, subject.tokens, subject.layer, *backend, progress, std::move(stop)), finding.comparison,
       finding);
  return finding;
}

}  // namespace

Study quality_study(const Experiment& experiment) { return study_of(Topic::quality, essence_of(experiment)); }

/// Random weights are those of the run: of its seed, and made once for both.
std::optional<Study> precision_study(const Experiment& experiment) {
  if (experiment.cache_dtype == CacheDtype::fp32 || experiment.path == AttentionPath::uncached) return {};
  Experiment essence = essence_of(experiment);
  essence.path = experiment.path;
  essence.isa = experiment.isa;
  essence.context = default_experiment().context;
  if (experiment.model.empty()) essence.seed = experiment.seed;
  return study_of(Topic::precision, std::move(essence));
}

std::vector<Study> quality_studies(const std::vector<QualityPoint>& curve) {
  std::vector<Study> studies;
  for (const QualityPoint& point : curve) studies.push_back(quality_study(point.experiment));
  return studies;
}

bool studied_unasked(const Experiment& experiment) {
  return !experiment.model.empty() && experiment.spec.vocab_size > 0 &&
         parameter_count(experiment.spec, experiment.layers) <= kMostParameters;
}

Subject subject_of(const Snapshot& snapshot, const Topics& topics) {
  Subject subject{snapshot.experiment};
  if (!topics.contains(Topic::comparison) || snapshot.pinned.empty() || !snapshot.tokens) return subject;
  subject.other = snapshot.pinned.front().experiment;
  subject.layer = snapshot.attention.layer;
  const std::size_t synthetic = std::size_t(snapshot.experiment.prefill), all = snapshot.tokens->size();
  const std::size_t most = std::min({kMostComparedTokens, snapshot.experiment.context, subject.other->context});
  const std::size_t count = all > synthetic ? std::bit_floor(std::min(all - synthetic, most)) : 0;
  for (std::size_t i = 0; i < count; ++i) subject.tokens.push_back((*snapshot.tokens)[synthetic + i].id);
  return subject;
}

std::vector<Study> plan_studies(const Subject& subject, const Topics& topics) {
  std::vector<Study> plan;
  const Experiment& experiment = subject.experiment;
  const bool trained = !experiment.model.empty(), unasked = studied_unasked(experiment);
  if (unasked && topics.contains(Topic::quality)) plan.push_back(quality_study(experiment));
  if (topics.contains(Topic::precision) && (unasked || !trained))
    if (auto study = precision_study(experiment)) plan.push_back(std::move(*study));
  if (unasked && topics.contains(Topic::heads)) plan.push_back(at_any_precision(Topic::heads, experiment));
  if (subject.other && studied_unasked(*subject.other)) plan.push_back(quality_study(*subject.other));
  if (subject.other && topics.contains(Topic::comparison)) plan.push_back(comparison_of(subject));
  if (trained && topics.contains(Topic::coupling)) plan.push_back(at_any_precision(Topic::coupling, experiment));
  if (trained && topics.contains(Topic::rank)) {
    Experiment whole = essence_of(experiment);
    whole.spec = without_lens(experiment.spec);
    whole.context = default_experiment().context;
    whole.weights_dtype = WeightsDtype::stored;
    plan.push_back(study_of(Topic::rank, std::move(whole)));
  }
  return plan;
}

Finding carry_out(const Study& study, const Result<std::string>& text, const ModelWeights* previous,
                  const Progress& progress, std::stop_token stop) {
  const Result<LoadedModel> model = load(study.subject.experiment, previous, {}, stop);
  if (!model) return {.error = model.error().message};
  if (study.topic == Topic::comparison) return compare_models(study.subject, *model, progress, std::move(stop));
  return study_model(study, *model, text, progress, std::move(stop));
}

}  // namespace mla::ui
