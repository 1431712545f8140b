#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// How well a model predicts a text.
struct Quality {
  double bits = 0;          ///< -log2 of the probability of the predicted tokens, summed
  std::int64_t tokens = 0;  ///< predicted
  std::int64_t bytes = 0;   ///< of text that they stand for
  double bits_per_byte() const { return bits / double(bytes); }
};

/// Where a text is cut for a teacher-forced pass: windows that overlap by half, so that every token has context; each token
/// is counted in the first window that predicts it.
struct EvaluationWindow {
  std::int64_t first = 0;  ///< index of its first token in the text
  int fed = 0;             ///< tokens of the text that are fed (a beginning token, if any, comes before them)
  int counted_from = 0;    ///< outputs [counted_from, outputs) are counted
  int outputs = 0;         ///< positions run
};

/// The windows of a text of `tokens` tokens for a model that reads at most `context` positions. With a beginning token,
/// output i predicts token first + i; without, token first + i + 1, and the text's own first token is not predicted.
std::vector<EvaluationWindow> evaluation_windows(std::int64_t tokens, int context, bool begin_token);

/// Log-probability (nats) of `target` under softmax(logits), in double precision.
double log_probability(std::span<const float> logits, int target);

/// Bits per byte of the text, teacher-forced through the engine at the experiment's settings (path, cache precision …), in
/// windows of the model's max_position_embeddings or the experiment's context, whichever is less. Errors: no tokenizer, a
/// text of too few tokens, cancelled.
Result<Quality> measure_quality(const LoadedModel& model, ComputeBackend& backend, std::string_view text,
                                const Progress& progress = {}, std::stop_token stop = {});

}  // namespace mla
