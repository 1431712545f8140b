#include "core/analysis/head_kinds.h"

#include <algorithm>
#include <map>

#include "core/engine/decoder.h"
#include "core/tensor/random.h"

namespace mla {
namespace {

/// The mean of what was added, if anything was.
class Mean {
 public:
  void add(double value) { sum_ += value, ++count_; }
  std::optional<double> get() const { return count_ > 0 ? std::optional(sum_ / count_) : std::nullopt; }

 private:
  double sum_ = 0;
  int count_ = 0;
};

struct HeadMeans {
  Mean sink, previous, induction;
};

using Means = std::map<std::pair<int, int>, HeadMeans>;  // by layer and head

double weight(const AttentionRow& row, int head, int key) { return row.weights[std::size_t(head) * row.keys + key]; }

std::vector<HeadScore> scores_of(const Means& means) {
  std::vector<HeadScore> scores;
  for (const auto& [at, mean] : means)
    scores.push_back({at.first, at.second, mean.sink.get(), mean.previous.get(), mean.induction.get()});
  return scores;
}

Result<std::unique_ptr<Decoder>> decoder_for(const LoadedModel& model, int tokens, ComputeBackend& backend) {
  Experiment experiment = model.experiment;
  experiment.context = tokens;
  experiment.prefill = 0;
  experiment.batch = 1;
  experiment.prompt.clear();
  return Decoder::create(experiment, backend, model.weights);
}

}  // namespace

std::string_view name_of(HeadKind kind) {
  switch (kind) {
    case HeadKind::sink:
      return "attention sink";
    case HeadKind::previous_token:
      return "previous token";
    case HeadKind::induction:
      return "induction";
  }
  return "";
}

std::string_view explanation_of(HeadKind kind) {
  switch (kind) {
    case HeadKind::sink:
      return "mean weight on the first token, whatever it says (Xiao et al. 2023)";
    case HeadKind::previous_token:
      return "mean weight on the token before the query (Elhage et al. 2021)";
    case HeadKind::induction:
      return "mean weight on what followed the present token last time, on repeated random tokens (Olsson et al. 2022)";
  }
  return "";
}

double threshold_of(HeadKind kind) {
  switch (kind) {
    case HeadKind::sink:
      return kSinkThreshold;
    case HeadKind::previous_token:
      return kPreviousThreshold;
    case HeadKind::induction:
      return kInductionThreshold;
  }
  return 1;
}

std::optional<double> score_of(const HeadScore& score, HeadKind kind) {
  switch (kind) {
    case HeadKind::sink:
      return score.sink;
    case HeadKind::previous_token:
      return score.previous;
    case HeadKind::induction:
      return score.induction;
  }
  return {};
}

std::vector<HeadKind> kinds_of(const HeadScore& score) {
  std::vector<HeadKind> kinds;
  for (const HeadKind kind : {HeadKind::sink, HeadKind::previous_token, HeadKind::induction}) {
    const auto value = score_of(score, kind);
    if (value && *value >= threshold_of(kind)) kinds.push_back(kind);
  }
  return kinds;
}

std::vector<HeadScore> head_scores(AttentionRowsView rows, int from) {
  Means means;
  for (const auto& row : rows)
    for (int h = 0; h < row->heads; ++h) {
      HeadMeans& mean = means[{row->layer, h}];
      if (row->query < std::max(from, 1)) continue;
      mean.sink.add(weight(*row, h, 0));
      mean.previous.add(weight(*row, h, row->query - 1));
    }
  return scores_of(means);
}

std::vector<HeadScore> induction_scores(AttentionRowsView rows, int length) {
  Means means;
  for (const auto& row : rows)
    for (int h = 0; h < row->heads; ++h) {
      HeadMeans& mean = means[{row->layer, h}];
      if (row->query >= length && row->query < 2 * length) mean.induction.add(weight(*row, h, row->query - length + 1));
    }
  return scores_of(means);
}

std::vector<HeadScore> with_induction(std::vector<HeadScore> scores, std::span<const HeadScore> induction) {
  for (HeadScore& score : scores)
    for (const HeadScore& other : induction)
      if (other.layer == score.layer && other.head == score.head) score.induction = other.induction;
  return scores;
}

std::vector<int> repeated_tokens(int vocab_size, int length, std::uint64_t seed) {
  std::vector<int> tokens;
  const bool different = vocab_size / 2 >= length;
  for (std::uint64_t draw = 0; int(tokens.size()) < length; ++draw) {
    const int token = int(mix(seed, draw) % std::uint64_t(vocab_size));
    if (!different || std::find(tokens.begin(), tokens.end(), token) == tokens.end()) tokens.push_back(token);
  }
  tokens.reserve(2 * tokens.size());
  std::copy_n(tokens.begin(), length, std::back_inserter(tokens));
  return tokens;
}

Result<std::vector<HeadScore>> induction_scores(const LoadedModel& model, int length, std::uint64_t seed,
                                                ComputeBackend& backend, const Progress& progress, std::stop_token stop) {
  const int vocab = model.experiment.spec.vocab_size;
  if (vocab == 0) return Error{"induction heads: the model has no vocabulary, so there are no tokens to repeat"};
  if (length < 2) return Error{"induction heads: length is " + std::to_string(length) + ": must be at least 2"};
  const std::vector<int> tokens = repeated_tokens(vocab, length, seed);
  auto decoder = decoder_for(model, 2 * length, backend);
  if (!decoder) return decoder.error();
  std::vector<std::shared_ptr<const AttentionRow>> rows;
  for (int i = 0; i < 2 * length;) {
    const int count = i < length ? length : 1;  // the first half in one pass, then as a decode goes
    auto trace = (*decoder)->prefill(std::span(tokens).subspan(i, count),
                                     {i < length ? TraceRequest::Layers::none : TraceRequest::Layers::all, 0}, stop);
    if (!trace) return trace.error();
    rows.insert(rows.end(), trace->attention.begin(), trace->attention.end());
    i += count;
    if (progress) progress(double(i) / (2 * length));
  }
  return induction_scores(rows, length);
}

}  // namespace mla
