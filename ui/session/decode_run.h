#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <vector>

#include "core/engine/decoder.h"
#include "core/engine/run.h"
#include "ui/session/snapshot_builder.h"

namespace mla::ui {

/// What a run goes on from: it is prefilled before the first step.
struct History {
  std::vector<int> tokens;  ///< of sequence 0; empty without a vocabulary
  int vectors = 0;          ///< synthetic inputs, where there is no vocabulary
  int given = 0;            ///< how many of them are a prompt, not generated

  int size() const { return tokens.empty() ? vectors : int(tokens.size()); }
  static History of_prompt(const Experiment& experiment);
};

/// All that it takes to start a run.
struct RunPlan {
  Experiment experiment;
  ComputeBackend* backend = nullptr;
  BackendInfo backend_info;
  std::shared_ptr<const ModelWeights> previous;  ///< tensors that are the same are shared; may be null
  History history;
  AttentionRequest request;
  quint64 run = 0;
};

/// What is going on while a run starts.
enum class Phase { weights, conversion, prefill };
using PhaseReport = std::function<void(Phase phase, double fraction)>;

/// One decode with what it shows. Belongs to the worker's thread.
class DecodeRun {
 public:
  /// Makes or loads the weights and prefills the history, in passes small enough to stop soon and to bound the rows
  /// recorded. A stopped start gives an Error too; `report` is called from this thread.
  static Result<std::unique_ptr<DecodeRun>> start(const RunPlan& plan, const PhaseReport& report, std::stop_token stop);

  /// Decodes one token. After a failed or stopped step the run can only be started anew, from history().
  Status step(std::stop_token stop);
  bool can_step() const { return decoder_->can_step(); }
  /// Waits for the attention rows of steps that are still on their way from a device; without them shown() lacks the newest.
  Status complete();
  /// What has been processed so far, cut to what a context of that many tokens holds after `prefill` synthetic ones.
  History history(int context, int prefill) const;

  const Experiment& experiment() const { return decoder_->experiment(); }
  const std::shared_ptr<const ModelWeights>& weights() const { return weights_; }
  SnapshotBuilder& shown() { return shown_; }

 private:
  DecodeRun(const RunPlan& plan, const LoadedModel& model, std::unique_ptr<Decoder> decoder);
  void note_progress();
  Status prefill(const History& history, const PhaseReport& report, std::stop_token stop);
  int pass_size(int position) const;

  std::shared_ptr<const ModelWeights> weights_;
  std::unique_ptr<Decoder> decoder_;
  SnapshotBuilder shown_;
  int given_;
  int processed_ = 0;  // positions after the synthetic ones; a stopped pass leaves the decoder's own count undefined
};

}  // namespace mla::ui
