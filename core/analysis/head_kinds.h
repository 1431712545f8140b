#pragma once

#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// What a head is known for, by simple scores that others have published. A head may be of several kinds or of none.
enum class HeadKind { sink, previous_token, induction };

/// "attention sink", "previous token", "induction"
std::string_view name_of(HeadKind kind);
/// What the score measures, in one sentence with its source.
std::string_view explanation_of(HeadKind kind);

/// Queries before this position are left out of the sink and previous-token scores: with so few keys even a head that
/// attends evenly gives the first, or the previous, token a large share. From here on that share is at most 1/17.
inline constexpr int kFirstScoredQuery = 16;

/// A head is labelled from these scores on, several times what even attention would give (1/17 at most). For sinks the
/// threshold of Gu et al. (2024); for the other two a little more, since half of a head's weight on one place by chance is
/// far rarer than an idle head.
inline constexpr double kSinkThreshold = 0.3;
inline constexpr double kPreviousThreshold = 0.4;
inline constexpr double kInductionThreshold = 0.4;

/// Mean weights of one head, each 0 to 1; not set where nothing was recorded that it could be computed from.
struct HeadScore {
  int layer = 0;
  int head = 0;
  /// On the first token (Xiao et al. 2023, "Efficient Streaming Language Models with Attention Sinks"; Gu et al. 2024, "When
  /// Attention Sink Emerges in Language Models").
  std::optional<double> sink;
  /// On the token just before the query (Elhage et al. 2021, "A Mathematical Framework for Transformer Circuits"; Voita et
  /// al. 2019 call such heads positional).
  std::optional<double> previous;
  /// On the token that followed the present one when it occurred before, on random tokens repeated once: the prefix matching
  /// score of Olsson et al. (2022), "In-context Learning and Induction Heads".
  std::optional<double> induction;
};

double threshold_of(HeadKind kind);
/// The score that decides about a kind.
std::optional<double> score_of(const HeadScore& score, HeadKind kind);
/// Every kind whose score reaches its threshold.
std::vector<HeadKind> kinds_of(const HeadScore& score);

using AttentionRowsView = std::span<const std::shared_ptr<const AttentionRow>>;

/// Sink and previous-token scores from recorded rows of any text, of queries from `from` on (and of no query at position 0).
/// Ordered by layer, then head; the layers that have rows.
std::vector<HeadScore> head_scores(AttentionRowsView rows, int from = kFirstScoredQuery);

/// Induction scores from the rows of `length` tokens that were fed twice: the mean weight from i in the second half on i -
/// length + 1.
std::vector<HeadScore> induction_scores(AttentionRowsView rows, int length);

/// `scores`, with the induction scores of the same heads where `induction` has them.
std::vector<HeadScore> with_induction(std::vector<HeadScore> scores, std::span<const HeadScore> induction);

/// `length` random tokens, twice; different ones where the vocabulary has twice as many.
std::vector<int> repeated_tokens(int vocab_size, int length, std::uint64_t seed);

/// Feeds repeated_tokens to the model from an empty cache, the second half token by token, and scores every head of the
/// layers that run. Needs a vocabulary and a length of 2 at least.
Result<std::vector<HeadScore>> induction_scores(const LoadedModel& model, int length, std::uint64_t seed,
                                                ComputeBackend& backend, const Progress& progress = {},
                                                std::stop_token stop = {});

}  // namespace mla
