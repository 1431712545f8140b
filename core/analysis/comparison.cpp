#include "core/analysis/comparison.h"

#include <cmath>
#include <new>
#include <tuple>

#include "core/analysis/comparison_refusals.h"
#include "core/engine/decoder.h"
#include "core/spec/describe.h"

namespace mla {
namespace {

constexpr int kTurn = 16;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

Result<std::unique_ptr<Decoder>> decoder_for(const LoadedModel& model, int tokens, ComputeBackend& backend) {
  Experiment experiment = model.experiment;
  experiment.context = tokens;
  experiment.prefill = 0;
  experiment.prompt.clear();
  return Decoder::create(experiment, backend, model.weights);
}

/// One model on its way through the tokens.
class Run {
 public:
  Run(const LoadedModel& model, std::span<const int> tokens, int layer, std::unique_ptr<Decoder> decoder)
      : tokens_(tokens), trace_{TraceRequest::Layers::one, layer}, decoder_(std::move(decoder)) {
    side_.experiment = model.experiment;
    side_.weight_bytes = model.weights->bytes();
    side_.weights.assign(std::size_t(model.experiment.spec.attention.num_attention_heads),
                         std::vector<float>(tokens.size() * tokens.size(), 0.0f));
  }

  Status step(int position, const std::stop_token& stop) {
    const bool vectors = side_.experiment.spec.vocab_size == 0;
    const Result<StepTrace> trace = vectors ? decoder_->prefill_synthetic(1, trace_, stop)
                                            : decoder_->prefill(tokens_.subspan(std::size_t(position), 1), trace_, stop);
    if (!trace) return trace.error();
    for (const auto& row : trace->attention) keep(*row);
    ms_.push_back(trace->ms);
    side_.cache_bytes = trace->cache_bytes;
    return {};
  }

  ComparisonSide finish() {
    side_.median_ms = median(ms_);
    return std::move(side_);
  }

 private:
  void keep(const AttentionRow& row) {
    for (int h = 0; h < row.heads; ++h)
      std::copy_n(row.weights.begin() + std::ptrdiff_t(h) * row.keys, row.keys,
                  side_.weights[std::size_t(h)].begin() + std::ptrdiff_t(row.query) * std::ptrdiff_t(tokens_.size()));
  }

  std::span<const int> tokens_;
  TraceRequest trace_;
  std::unique_ptr<Decoder> decoder_;
  ComparisonSide side_;
  std::vector<double> ms_;
};

Status run_in_turns(Run& first, Run& second, int tokens, const Progress& progress, const std::stop_token& stop) {
  for (int from = 0; from < tokens; from += kTurn) {
    const int end = std::min(from + kTurn, tokens);
    for (Run* run : {&first, &second}) {
      for (int position = from; position < end; ++position)
        if (Status good = run->step(position, stop); !good) return good;
      if (progress) progress(double(run == &first ? from + end : 2 * end) / (2 * tokens));
    }
  }
  return {};
}

/// What was said to the models, and how they were to choose what they were not asked for, tells no two runs on the same
/// tokens apart.
void name_sides(Comparison& comparison) {
  Experiment other = comparison.second.experiment;
  const Experiment& first = comparison.first.experiment;
  other.prompt = first.prompt;
  other.sampling = first.sampling;
  other.context = first.context;
  other.prefill = first.prefill;
  std::tie(comparison.first.name, comparison.second.name) = describe_apart(first, other);
}

Result<Comparison> run_both(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens, int layer,
                            ComputeBackend& backend, const Progress& progress, const std::stop_token& stop) {
  const int count = int(tokens.size());
  auto one = decoder_for(first, count, backend);
  if (!one) return one.error();
  auto other = decoder_for(second, count, backend);
  if (!other) return other.error();
  Run a(first, tokens, layer, std::move(*one)), b(second, tokens, layer, std::move(*other));
  if (Status done = run_in_turns(a, b, count, progress, stop); !done) return done.error();
  Comparison out{layer, {}, {}, a.finish(), b.finish(), {}};
  name_sides(out);
  const bool vectors = first.experiment.spec.vocab_size == 0;
  const Vocabulary& vocabulary = first.vocabulary.has_text() ? first.vocabulary : second.vocabulary;
  for (int i = 0; i < count; ++i) {
    out.ids.push_back(vectors ? -1 : tokens[std::size_t(i)]);
    out.texts.push_back(vectors ? std::string("x").append(std::to_string(i)) : vocabulary.display(tokens[std::size_t(i)]));
  }
  for (int h = 0; h < std::min(out.first.heads(), out.second.heads()); ++h)
    out.difference.push_back(difference_of(out.first.weights[std::size_t(h)], out.second.weights[std::size_t(h)], count));
  return out;
}

}  // namespace

HeadDifference difference_of(std::span<const float> first, std::span<const float> second, int tokens) {
  HeadDifference out;
  for (int query = 0; query < tokens; ++query) {
    const std::size_t row = std::size_t(query) * std::size_t(tokens);
    double sum = 0;
    for (std::size_t at = row; at <= row + std::size_t(query); ++at) {
      const double apart = std::abs(double(second[at]) - first[at]);
      out.largest = std::max(out.largest, apart);
      sum += apart;
    }
    out.mean += sum;
    out.total_variation += sum / 2;
  }
  if (tokens == 0) return out;
  out.mean /= double(tokens) * (tokens + 1) / 2;
  out.total_variation /= tokens;
  return out;
}

HeadDifference over_heads(const Comparison& comparison) {
  HeadDifference out;
  for (const HeadDifference& head : comparison.difference) {
    out.largest = std::max(out.largest, head.largest);
    out.mean += head.mean / double(comparison.difference.size());
    out.total_variation += head.total_variation / double(comparison.difference.size());
  }
  return out;
}

int most_different_head(const Comparison& comparison) {
  const auto most = std::max_element(
      comparison.difference.begin(), comparison.difference.end(),
      [](const HeadDifference& a, const HeadDifference& b) { return a.total_variation < b.total_variation; });
  return int(most - comparison.difference.begin());
}

Result<Comparison> compare(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens, int layer,
                           ComputeBackend& backend, const Progress& progress, std::stop_token stop) {
  if (Status good = check_comparison(first, second, tokens, layer); !good) return good.error();
  try {
    return run_both(first, second, tokens, layer, backend, progress, stop);
  } catch (const std::bad_alloc&) {
    return Error{"comparison: out of memory; give fewer tokens"};
  }
}

}  // namespace mla
