#include "core/analysis/quality.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/engine/thread_guard.h"

namespace mla {
namespace {

/// Everything that one pass over a window needs.
struct Text {
  std::vector<int> tokens;  // without the beginning token
  std::optional<int> begin;
};

Result<Text> tokens_of(const LoadedModel& model, std::string_view text) {
  const Vocabulary& vocabulary = model.vocabulary;
  Result<std::vector<int>> ids = vocabulary.encode(text, model.experiment.spec.vocab_size);
  if (!ids) return ids.error();
  Text read{std::move(*ids), vocabulary.begin_token()};
  if (read.begin) read.tokens.erase(read.tokens.begin());
  if (read.tokens.size() < (read.begin ? 1u : 2u)) return Error{"the text has too few tokens to predict any"};
  return read;
}

/// Bits of the window's counted tokens, from logits [outputs, vocab].
double bits_of(const EvaluationWindow& window, const Text& text, std::span<const float> logits, std::size_t vocab) {
  const std::int64_t ahead = text.begin ? 0 : 1;
  double nats = 0;
  for (int i = window.counted_from; i < window.outputs; ++i)
    nats -=
        log_probability(logits.subspan(std::size_t(i) * vocab, vocab), text.tokens[std::size_t(window.first + i + ahead)]);
  return nats / std::numbers::ln2;
}

std::vector<int> fed_tokens(const EvaluationWindow& window, const Text& text) {
  std::vector<int> fed;
  if (text.begin) fed.push_back(*text.begin);
  const auto from = text.tokens.begin() + window.first;
  fed.insert(fed.end(), from, from + window.fed);
  return fed;
}

}  // namespace

std::vector<EvaluationWindow> evaluation_windows(std::int64_t tokens, int context, bool begin_token) {
  const std::int64_t predicted = tokens - (begin_token ? 0 : 1), stride = std::max(1, context / 2);
  std::vector<EvaluationWindow> windows;
  for (std::int64_t first = 0, counted = 0; counted < predicted; first += stride) {
    const int outputs = int(std::min<std::int64_t>(context, predicted - first));
    windows.push_back({first, outputs - (begin_token ? 1 : 0), int(counted - first), outputs});
    counted = first + outputs;
  }
  return windows;
}

double log_probability(std::span<const float> logits, int target) {
  const double most = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double(logit) - most);
  return double(logits[std::size_t(target)]) - most - std::log(sum);
}

Result<Quality> measure_quality(const LoadedModel& model, ComputeBackend& backend, std::string_view text,
                                const Progress& progress, std::stop_token stop) {
  note_engine_call();
  const Result<Text> read = tokens_of(model, text);
  if (!read) return read.error();
  Experiment experiment = model.experiment;
  experiment.context = std::min(experiment.context, experiment.spec.max_position_embeddings);
  experiment.batch = 1;
  experiment.prefill = 0;
  const auto executor = backend.create(experiment, model.weights);
  if (!executor) return executor.error();
  const std::size_t vocab = std::size_t(experiment.spec.vocab_size);
  const std::vector<EvaluationWindow> windows =
      evaluation_windows(std::int64_t(read->tokens.size()), experiment.context, read->begin.has_value());
  Quality quality;
  for (const EvaluationWindow& window : windows) {
    const std::vector<int> fed = fed_tokens(window, *read);
    ForwardInput input;
    input.tokens = fed;
    input.count = int(fed.size());
    input.all_outputs = true;
    input.stop = stop;
    (*executor)->reset();
    const auto output = (*executor)->forward(input);
    if (!output) return output.error();
    if (output->cancelled) return Error{"cancelled"};
    quality.bits += bits_of(window, *read, output->logits, vocab);
    quality.tokens += window.outputs - window.counted_from;
    if (progress) progress(double(&window - windows.data() + 1) / double(windows.size()));
  }
  quality.bytes = std::int64_t(text.size());
  if (!read->begin) quality.bytes -= std::int64_t(model.vocabulary.decode({read->tokens.data(), 1}).size());
  return quality;
}

}  // namespace mla
