#pragma once

#include <array>
#include <cstdint>

#include "core/engine/ceilings.h"
#include "core/engine/trace.h"
#include "core/spec/experiment.h"

namespace mla {

/// Predicted work of one decode step by stage, all running layers and sequences, logits included.
struct StepCost {
  std::array<Work, kStages> stages{};
  /// Of the operations, those on bf16 pairs and on bytes, where the processor has them (core/attention/one_pass.h); on a GPU
  /// the first are those of its matrix units.
  std::array<std::int64_t, kStages> bf16_operations{};
  std::array<std::int64_t, kStages> int8_operations{};
  Work total() const;
};

/// Work of a decode step that finds `cached` tokens in the cache (the new one comes on top). Formulas: two operations per
/// multiply-add; absorbed attention 2 (2c + r) H per cached token, expanded 2 (n + r + v) H (DeepSeek-V2, appendix).
/// `decode_cost` and what the engine counts agree exactly, with one exception: how many experts several rows of one pass
/// share depends on the rows, so their weight bytes are the mean over routers that spread rows evenly (one row reads
/// num_experts_per_tok experts, exactly).
StepCost decode_cost(const Experiment& experiment, int cached);

/// Work of a prompt of `tokens` that is read at once, from an empty cache and in the engine's chunks; counted as in
/// decode_cost. `all_outputs`: every position goes through the last layer too, where otherwise only the last one does
/// (ForwardInput).
StepCost prefill_cost(const Experiment& experiment, int tokens, bool all_outputs = false);

/// Bytes per second, 1e9, at which work that touches `bytes` again and again can read them.
double bandwidth_gb_s(std::int64_t bytes, const Ceilings& ceilings);

/// The roofline: per stage the larger of bytes / bandwidth and operations / rate, summed. Milliseconds. The bandwidth is the
/// cache's where all that a step reads stays there until the next, else the memory's; the rate is that of fp32, and of bf16
/// pairs or bytes for their products.
double roofline_ms(const StepCost& cost, const Ceilings& ceilings);
/// The same by stage; what all stages read together decides about the bandwidth. 0 without ceilings.
StageTimes roofline_stages(const StepCost& cost, const Ceilings& ceilings);

}  // namespace mla
