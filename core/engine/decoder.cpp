#include "core/engine/decoder.h"

#include "core/engine/thread_guard.h"
#include "core/tensor/kernels.h"
#include "core/tensor/random.h"

namespace mla {

void synthetic_input(std::uint64_t seed, int position, int sequence, std::span<float> out) {
  const std::uint64_t key = mix(mix(seed, 0x1297a75ull), std::uint64_t(position) << 20 | std::uint64_t(sequence));
  available_kernels().back()->fill_uniform(key, 0, kUnitVariance, out.data(), std::int64_t(out.size()));
}

Result<std::unique_ptr<Decoder>> Decoder::create(const Experiment& experiment, ComputeBackend& backend,
                                                 std::shared_ptr<const ModelWeights> weights) {
  note_engine_call();
  if (Status valid = validate(experiment); !valid) return valid.error();
  auto executor = backend.create(experiment, std::move(weights));
  if (!executor) return executor.error();
  std::unique_ptr<Decoder> decoder(new Decoder(experiment, std::move(*executor)));
  if (experiment.prefill > 0)
    if (Status filled = decoder->executor_->fill_synthetic(experiment.prefill, experiment.seed); !filled)
      return filled.error();
  return decoder;
}

Decoder::Decoder(Experiment experiment, std::unique_ptr<Executor> executor)
    : experiment_(std::move(experiment)), executor_(std::move(executor)) {
  for (int b = 0; b < experiment_.batch; ++b) samplers_.emplace_back(experiment_.sampling, mix(experiment_.seed, 0x5a3 + b));
  if (experiment_.spec.vocab_size > 0) next_.assign(experiment_.batch, 0);
}

void Decoder::keep_outputs(bool keep) {
  keep_outputs_ = keep;
  executor_->keep_latents(keep);
}

Result<StepTrace> Decoder::prefill(std::span<const int> tokens, TraceRequest trace, std::stop_token stop) {
  for (int token : tokens)
    if (token < 0 || token >= experiment_.spec.vocab_size)
      return Error{"token " + std::to_string(token) + ": the vocabulary has ids 0 to " +
                   std::to_string(experiment_.spec.vocab_size - 1)};
  std::vector<int> all;
  for (int token : tokens) all.insert(all.end(), experiment_.batch, token);
  if (!tokens_.empty()) tokens_.pop_back();  // what was chosen gives way to what is fed
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  ForwardInput input;
  input.tokens = all;
  input.count = int(tokens.size());
  input.trace = trace;
  input.stop = std::move(stop);
  return run(input, false);
}

Result<StepTrace> Decoder::prefill_hidden(std::span<const float> hidden, int count, TraceRequest trace,
                                          std::stop_token stop) {
  const int d = experiment_.spec.attention.hidden_size;
  std::vector<float> all;
  all.reserve(hidden.size() * experiment_.batch);
  for (int p = 0; p < count; ++p)
    for (int b = 0; b < experiment_.batch; ++b) {
      const auto row = hidden.subspan(std::size_t(p) * d, d);
      all.insert(all.end(), row.begin(), row.end());
    }
  ForwardInput input;
  input.hidden = all;
  input.count = count;
  input.trace = trace;
  input.stop = std::move(stop);
  return run(input, true);
}

Result<StepTrace> Decoder::prefill_synthetic(int count, TraceRequest trace, std::stop_token stop) {
  const int d = experiment_.spec.attention.hidden_size, first = positions();
  std::vector<float> all(std::size_t(count) * experiment_.batch * d);
  for (int i = 0; i < count * experiment_.batch; ++i)
    synthetic_input(experiment_.seed, first + i / experiment_.batch, i % experiment_.batch,
                    std::span(all).subspan(std::size_t(i) * d, d));
  ForwardInput input;
  input.hidden = all;
  input.count = count;
  input.trace = trace;
  input.stop = std::move(stop);
  return run(input, true);
}

Result<StepTrace> Decoder::step(TraceRequest trace, std::stop_token stop) {
  if (experiment_.spec.vocab_size == 0) return prefill_synthetic(1, trace, std::move(stop));
  if (tokens_.empty()) tokens_.push_back(next_.front());  // no prompt: begin with id 0
  ForwardInput input;
  const std::vector<int> fed = next_;
  input.tokens = fed;
  input.count = 1;
  input.trace = trace;
  input.stop = std::move(stop);
  return run(input, false);
}

bool Decoder::can_step() const { return positions() < experiment_.context; }

Result<StepTrace> Decoder::run(const ForwardInput& input, bool vectors) {
  note_engine_call();
  ForwardInput request = input;
  request.all_outputs = keep_outputs_;
  draws_.clear();
  if (!next_.empty())
    for (Sampler& sampler : samplers_) draws_.push_back(sampler.next());
  if (!keep_outputs_) request.draws = draws_;
  Result<ForwardOutput> output = executor_->forward(request);
  if (!output) return output.error();
  if (output->cancelled) return Error{"cancelled"};
  if (keep_outputs_) {
    const std::vector<float>& from = vectors ? output->hidden : output->logits;
    const std::size_t width = from.size() / (std::size_t(input.count) * experiment_.batch);
    for (int p = 0; p < input.count; ++p) {
      const auto row = from.begin() + std::ptrdiff_t(width) * p * experiment_.batch;
      outputs_.insert(outputs_.end(), row, row + std::ptrdiff_t(width));
    }
  }
  choose_next(*output);
  if (!next_.empty()) output->trace.token = next_.front();
  return std::move(output->trace);
}

void Decoder::choose_next(const ForwardOutput& output) {
  if (next_.empty()) return;
  if (!output.tokens.empty()) {
    next_ = output.tokens;
    tokens_.push_back(next_.front());
    return;
  }
  const std::size_t vocab = experiment_.spec.vocab_size;
  const float* last = output.logits.data() + output.logits.size() - vocab * experiment_.batch;
  for (int b = 0; b < experiment_.batch; ++b) next_[b] = choose(draws_[b], {last + b * vocab, vocab});
  tokens_.push_back(next_.front());
}

}  // namespace mla
