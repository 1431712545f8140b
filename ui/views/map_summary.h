#pragma once

#include <vector>

#include "ui/views/map_source.h"

namespace mla::ui {

/// What one head did over the recorded queries, from their attention weights.
struct HeadSummary {
  int head = 0;
  int queries = 0;
  double mean_entropy_bits = 0;  ///< of the weights of a query; log2(keys) where they are even
  double max_weight = 0;
  double mean_first_weight = 0;  ///< on the first token
  double mean_self_weight = 0;   ///< on the query's own token
  double mean_distance = 0;      ///< tokens back, by weight
};

/// One summary a head; reads every recorded row once.
std::vector<HeadSummary> summarize(const AttentionHistory& history);

/// Adds one query's row to the summary of `head`, whose means hold sums until the end.
void accumulate(HeadSummary& summary, const AttentionRow& row, int head);

/// Weights of one query by key, of one head or (head -1) averaged over all.
std::vector<float> weightsOf(const AttentionRow& row, int head);

}  // namespace mla::ui
