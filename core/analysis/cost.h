#pragma once

#include <array>
#include <cstdint>

#include "core/engine/trace.h"
#include "core/spec/experiment.h"

namespace mla {

/// Predicted work of one decode step by stage, all running layers and sequences, logits included.
struct StepCost {
  std::array<Work, kStages> stages{};
  Work total() const;
};

/// Work of a decode step that finds `cached` tokens in the cache (the new one comes on top). Formulas: two operations per
/// multiply-add; absorbed attention 2 (2c + r) H per cached token, expanded 2 (n + r + v) H (DeepSeek-V2, appendix).
/// `decode_cost` and what the engine counts agree exactly.
StepCost decode_cost(const Experiment& experiment, int cached);

/// What the machine can do, as `bench` measures it.
struct Ceilings {
  double read_gb_s = 0;      ///< bytes, 1e9
  double fp32_gflop_s = 0;
  double bf16_gflop_s = 0;   ///< 0 without the instruction
  double int8_gop_s = 0;     ///< 0 without the instruction
  int threads = 0;
};

/// The roofline: per stage the larger of bytes / bandwidth and operations / fp32 rate, summed. Milliseconds.
double roofline_ms(const StepCost& cost, const Ceilings& ceilings);

}  // namespace mla
