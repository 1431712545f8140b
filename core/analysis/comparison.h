#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// Most tokens that are compared: every head keeps two maps of them, and a window draws those within a few milliseconds.
inline constexpr int kMostComparedTokens = 512;

/// One of two experiments, as it went through the tokens that both were fed.
struct ComparisonSide {
  Experiment experiment;
  std::string name;                         ///< what it has where the two differ, e.g. "c 64"; empty where nothing differs
  std::vector<std::vector<float>> weights;  ///< by head: [tokens, tokens] after the softmax, 0 above the diagonal
  double median_ms = 0;                     ///< of a step, measured; one token a sequence
  std::int64_t cache_bytes = 0;             ///< rows held after the last token, all layers and sequences
  std::int64_t weight_bytes = 0;            ///< of all tensors, in the types in which they are held
  /// On a text held out from training, where it was measured: measure_quality takes seconds and may be known already, so the
  /// caller sets it.
  std::optional<double> bits_per_byte;
  int heads() const { return int(weights.size()); }
};

/// How far the attention of one head is apart.
struct HeadDifference {
  double largest = 0;          ///< absolute, over all pairs that attend
  double mean = 0;             ///< absolute, over them
  double total_variation = 0;  ///< half the sum of absolute differences of a query's row, 0 to 1; mean over the queries
};

/// Two experiments on the same tokens.
struct Comparison {
  int layer = 0;                           ///< whose attention it is
  std::vector<int> ids;                    ///< -1 where vectors were fed
  std::vector<std::string> texts;          ///< of the tokens, for the eye
  ComparisonSide first, second;            ///< differences are second - first, ratios second / first
  std::vector<HeadDifference> difference;  ///< of the heads that both have
  int tokens() const { return int(ids.size()); }
  /// Heads of the side that has more.
  int heads() const { return int(std::max(first.weights.size(), second.weights.size())); }
};

/// Of two maps [tokens, tokens], what is above the diagonal left out.
HeadDifference difference_of(std::span<const float> first, std::span<const float> second, int tokens);

/// The largest difference of any head that both have, and the mean over all of them.
HeadDifference over_heads(const Comparison& comparison);

/// The head that both have whose weights move most (by total variation); 0 where there is none.
int most_different_head(const Comparison& comparison);

/// Feeds both models the same tokens one by one through a decoder, each from an empty cache (synthetic tokens that an
/// experiment would begin with are left out), and keeps the attention rows of `layer` (from 0) of sequence 0 from the kernel
/// calls that gave them. Without a vocabulary the tokens are ids -1: both are fed the input vectors that a decode makes from
/// their seed. Head h is compared with head h.
///
/// They take turns of 16 tokens: what else the machine does, and how warm it is, then meets both alike, and within a turn
/// each finds its weights in the processor's caches as in a decode of its own. ms is the median over all steps, so that a
/// turn's first step does not decide it.
///
/// Errors, one sentence each: no tokens, too many, vocabularies or inputs that are not the same, a layer that one has not,
/// not enough memory, cancelled.
Result<Comparison> compare(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens, int layer,
                           ComputeBackend& backend, const Progress& progress = {}, std::stop_token stop = {});

}  // namespace mla
