#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/backend.h"
#include "core/engine/trace.h"
#include "core/model/sampler.h"
#include "core/model/weights.h"
#include "core/spec/experiment.h"

namespace mla {

/// A running decode: history, cache, sampler. Not thread-safe; belongs to one thread at a time, never the window's.
class Decoder {
 public:
  /// `weights` must match the experiment (see build_weights / load_model).
  static Result<std::unique_ptr<Decoder>> create(const Experiment& experiment, ComputeBackend& backend,
                                                 std::shared_ptr<const ModelWeights> weights);

  /// Processes a prompt in one pass (in chunks when long); the returned trace covers all of it. A cancelled call gives an
  /// Error.
  Result<StepTrace> prefill(std::span<const int> tokens, TraceRequest trace = {}, std::stop_token stop = {});
  /// The same for vectors [count, hidden_size]; every sequence of the batch gets the same ones.
  Result<StepTrace> prefill_hidden(std::span<const float> hidden, int count, TraceRequest trace = {},
                                   std::stop_token stop = {});
  /// `count` synthetic input vectors, those that step() would have fed at these positions (blocks without a vocabulary).
  Result<StepTrace> prefill_synthetic(int count, TraceRequest trace = {}, std::stop_token stop = {});

  /// Decodes one token: feeds the token chosen last (or the next synthetic vector) and chooses the next one.
  Result<StepTrace> step(TraceRequest trace = {}, std::stop_token stop = {});

  /// The attention rows that steps left for later (TraceRequest::later), in their order.
  Result<AttentionRows> late_rows() { return executor_->late_rows(); }

  /// Whether another step fits into experiment().context.
  bool can_step() const;
  /// Tokens of sequence 0 processed so far plus the one chosen last; empty without a vocabulary.
  const std::vector<int>& tokens() const { return tokens_; }
  /// Positions processed, synthetic ones included.
  int positions() const { return executor_->positions(); }
  const Experiment& experiment() const { return experiment_; }
  const Executor& executor() const { return *executor_; }
  /// Keep logits (or hidden states) of every position for outputs(), and latents for executor().cache_rows(). Off by
  /// default; to be called before the first position.
  void keep_outputs(bool keep);
  /// [positions, vocab_size], or [positions, hidden_size] where vectors were fed; of sequence 0.
  const std::vector<float>& outputs() const { return outputs_; }

 private:
  Decoder(Experiment experiment, std::unique_ptr<Executor> executor);
  Result<StepTrace> run(const ForwardInput& input, bool vectors);
  void choose_next(const ForwardOutput& output);

  Experiment experiment_;
  std::unique_ptr<Executor> executor_;
  std::vector<Sampler> samplers_;  // one a sequence
  std::vector<Draw> draws_;        // theirs for the step that runs
  std::vector<int> next_;          // [batch] tokens chosen last
  std::vector<int> tokens_;
  std::vector<float> outputs_;
  bool keep_outputs_ = false;
};

/// The synthetic input vector of one position and sequence, unit variance: what step() feeds where there is no vocabulary.
void synthetic_input(std::uint64_t seed, int position, int sequence, std::span<float> out);

}  // namespace mla
