#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/ceilings.h"
#include "core/engine/trace.h"
#include "core/model/sampler.h"
#include "core/model/weights.h"
#include "core/spec/experiment.h"

namespace mla {

/// What a backend is, or why it can't be used.
struct BackendInfo {
  std::string name;  ///< "cpu", "cuda"
  bool available = false;
  std::string detail;  ///< e.g. "AVX-512, 2 threads"; or the reason it is not available
};

/// New positions for every sequence of the batch. Exactly one of the two inputs is set.
struct ForwardInput {
  std::span<const int> tokens;    ///< [count, batch] token ids
  std::span<const float> hidden;  ///< [count, batch, hidden_size] vectors fed instead of embeddings
  int count = 0;                  ///< positions per sequence
  TraceRequest trace;
  bool all_outputs = false;     ///< outputs for every position, not just the last
  std::span<const Draw> draws;  ///< [batch] how the next tokens are chosen, where nothing else is wanted of the logits
  std::stop_token stop;
};

/// What a forward pass gives. A cancelled pass leaves `cancelled` set and the executor to be reset.
struct ForwardOutput {
  std::vector<float> logits;  ///< [positions, batch, vocab_size]; empty without a vocabulary, or where `tokens` are given
  std::vector<float> hidden;  ///< [positions, batch, hidden_size] after the last layer, before the final norm; a backend
                              ///< with memory of its own leaves them there where tokens were fed and there is a vocabulary
  std::vector<int> tokens;    ///< [batch] by the draws, of a backend that chooses where its logits are
  StepTrace trace;
  bool cancelled = false;
};

/// A model with its weights and KV cache on one device.
class Executor {
 public:
  virtual ~Executor() = default;
  /// Runs the new positions after those already cached. Errors: out of memory, device failure, context exceeded.
  virtual Result<ForwardOutput> forward(const ForwardInput& input) = 0;
  /// Waits for the rows that no pass has given yet (TraceRequest::later). Errors: device failure.
  virtual Result<AttentionRows> late_rows() { return AttentionRows(); }
  /// Fills the next `count` positions with synthetic rows of unit variance, without computing them.
  virtual Status fill_synthetic(int count, std::uint64_t seed) = 0;
  /// Forgets all cached positions and frees their blocks.
  virtual void reset() = 0;
  /// Positions held (for `uncached`: remembered as inputs).
  virtual int positions() const = 0;
  /// What sequence 0 has in one layer, as fp32 [positions, row_values]. For MLA the latent, then the RoPE key, on every path
  /// (but see keep_latents); for MHA, GQA and MQA K, then V.
  virtual std::vector<float> cache_rows(int layer) const = 0;
  /// Keeps rows aside on the paths that do not cache them (uncached; latents where MLA is expanded), for cache_rows. To be
  /// called before the first position.
  virtual void keep_latents(bool keep) = 0;
};

/// A device that can run experiments.
class ComputeBackend {
 public:
  virtual ~ComputeBackend() = default;
  virtual BackendInfo probe() const = 0;
  /// Refuses, with both figures, what does not fit in the free memory; allocates nothing then.
  virtual Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                                   std::shared_ptr<const ModelWeights> weights) = 0;
  /// What this device can do, measured now: about a second, and memory for as long as that. What could not be measured is 0.
  /// `threads`: of a processor, as in an experiment.
  virtual Ceilings measure_ceilings(int threads, std::stop_token stop) = 0;
};

}  // namespace mla
