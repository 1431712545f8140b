#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/analysis/rank_lens.h"
#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// Bits by which the distribution of `p` differs from that of `q`, KL(p‖q), both given as logits [vocab]. In double
/// precision, normalised by log-sum-exp; not below 0.
double kl_bits(std::span<const float> p, std::span<const float> q);
/// -log2 of the probability that logits [vocab] give to `token`.
double surprise_bits(std::span<const float> logits, int token);
/// Half the sum of the absolute differences of two distributions: the share of weight that lies elsewhere, 0 to 1.
double total_variation(std::span<const float> p, std::span<const float> q);

/// What a model says about some tokens that it was fed (teacher-forced).
struct WindowRun {
  std::vector<int> tokens;
  std::vector<float> logits;                                   ///< [tokens, vocab]
  std::vector<std::shared_ptr<const AttentionRow>> attention;  ///< all layers and queries
};

/// The windows of held-out text that a model is measured on, and what it says without truncation.
struct HeldOut {
  LoadedModel model;
  std::vector<WindowRun> windows;
};

/// What truncation to one rank does, over all tokens but the first of each window.
struct RankPoint {
  int rank = 0;
  std::int64_t bytes_per_token = 0;  ///< stored values of all layers of the model, in the experiment's cache type
  std::vector<double> energy_kept;   ///< [layers] 0 to 1
  /// [layers] total variation distance between the attention of both models, mean over heads and queries. Layers after the
  /// first also see inputs that the layers before changed.
  std::vector<double> map_change;
  double kl_bits = 0;       ///< KL(full‖truncated) of the next token's distribution, mean bits per token
  double bits = 0;          ///< mean bits per token of the truncated model
  double full_bits = 0;     ///< the same of the full model
  std::int64_t tokens = 0;  ///< predicted tokens that the means are over
};

/// Quality against rank.
struct RankCurve {
  std::string model;  ///< as a person knows it
  int full_rank = 0;
  std::int64_t full_bytes_per_token = 0;  ///< of the cache without truncation
  std::vector<RankPoint> points;          ///< rank falling
  std::string note;                       ///< rank_note of the model
  std::string text;                       ///< what was read, as a person knows it: "the prompt"; for callers to set
};

/// Runs the model over `tokens` in windows of that length, each from an empty cache; a last window of fewer than 2 tokens is
/// left out. Needs a vocabulary and 2 tokens at least.
Result<HeldOut> run_held_out(const LoadedModel& model, std::span<const int> tokens, int window, ComputeBackend& backend,
                             const Progress& progress = {}, std::stop_token stop = {});

/// Runs the truncated model over the same windows and compares.
Result<RankPoint> measure_rank(const HeldOut& full, const TruncatedModel& truncated, ComputeBackend& backend,
                               const Progress& progress = {}, std::stop_token stop = {});

/// Ranks worth measuring: full_rank, then powers of two down to 1.
std::vector<int> usual_ranks(int full_rank);

/// Full model, factors and every rank in turn.
Result<RankCurve> measure_ranks(const LoadedModel& model, const RankFactors& factors, std::span<const int> ranks,
                                std::span<const int> tokens, int window, ComputeBackend& backend,
                                const Progress& progress = {}, std::stop_token stop = {});

}  // namespace mla
