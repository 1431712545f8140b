#include "core/analysis/cache_error.h"

#include <algorithm>
#include <cmath>

#include "core/engine/decoder.h"

namespace mla {
namespace {

/// Differences of numbers that come in pairs.
class Differences {
 public:
  void add(std::span<const float> exact, std::span<const float> stored) {
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const double apart = std::abs(double(stored[i]) - exact[i]);
      largest_ = std::max(largest_, apart);
      sum_ += apart;
      squares_ += double(exact[i]) * exact[i];
    }
    count_ += double(exact.size());
  }
  double largest() const { return largest_; }
  double mean() const { return count_ > 0 ? sum_ / count_ : 0; }
  double root_mean_square() const { return count_ > 0 ? std::sqrt(squares_ / count_) : 0; }

 private:
  double largest_ = 0, sum_ = 0, squares_ = 0, count_ = 0;
};

Result<std::unique_ptr<Decoder>> decoder_of(const LoadedModel& model, CacheDtype dtype, int tokens,
                                            ComputeBackend& backend) {
  Experiment experiment = model.experiment;
  experiment.cache_dtype = dtype;
  experiment.context = tokens;
  experiment.prefill = 0;
  experiment.prompt.clear();
  auto decoder = Decoder::create(experiment, backend, model.weights);
  if (decoder) (*decoder)->keep_outputs(true);
  return decoder;
}

Result<StepTrace> step(Decoder& decoder, std::span<const int> token, std::stop_token stop) {
  const TraceRequest all{TraceRequest::Layers::all, 0};
  if (decoder.experiment().spec.vocab_size == 0) return decoder.prefill_synthetic(1, all, std::move(stop));
  return decoder.prefill(token, all, std::move(stop));
}

}  // namespace

Result<CacheError> measure_cache_error(const LoadedModel& model, std::span<const int> tokens, ComputeBackend& backend,
                                       const Progress& progress, std::stop_token stop) {
  const int count = int(tokens.size());
  const auto exact = decoder_of(model, CacheDtype::fp32, count, backend);
  if (!exact) return exact.error();
  const auto stored = decoder_of(model, model.experiment.cache_dtype, count, backend);
  if (!stored) return stored.error();
  Differences attention, outputs;
  for (int i = 0; i < count; ++i) {
    const auto token = tokens.subspan(std::size_t(i), 1);
    const Result<StepTrace> a = step(**exact, token, stop), b = step(**stored, token, stop);
    if (!a || !b) return a ? b.error() : a.error();
    for (std::size_t row = 0; row < a->attention.size(); ++row)
      attention.add(a->attention[row]->weights, b->attention[row]->weights);
    if (progress) progress(double(i + 1) / count);
  }
  outputs.add((*exact)->outputs(), (*stored)->outputs());
  const double size = std::max(outputs.root_mean_square(), 1e-30);
  return CacheError{model.experiment.cache_dtype, count, attention.largest(), attention.mean(), outputs.largest() / size,
                    outputs.mean() / size};
}

}  // namespace mla
