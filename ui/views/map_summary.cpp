#include "ui/views/map_summary.h"

#include <algorithm>
#include <cmath>

namespace mla::ui {

void accumulate(HeadSummary& summary, const AttentionRow& row, int head) {
  const float* weights = row.weights.data() + std::size_t(head) * row.keys;
  for (int key = 0; key < row.keys; ++key) {
    const double weight = weights[key];
    if (weight > 0) summary.mean_entropy_bits -= weight * std::log2(weight);
    summary.max_weight = std::max(summary.max_weight, weight);
    summary.mean_distance += weight * (row.query - key);
  }
  summary.mean_first_weight += weights[0];
  summary.mean_self_weight += weights[row.keys - 1];
  ++summary.queries;
}

std::vector<HeadSummary> summarize(const AttentionHistory& history) {
  std::vector<HeadSummary> summaries;
  if (!history.rows || history.rows->empty()) return summaries;
  for (int head = 0; head < history.rows->back()->heads; ++head) {
    HeadSummary& summary = summaries.emplace_back();
    summary.head = head;
    for (const auto& row : *history.rows) accumulate(summary, *row, head);
    for (double* mean :
         {&summary.mean_entropy_bits, &summary.mean_first_weight, &summary.mean_self_weight, &summary.mean_distance}) {
      *mean /= summary.queries;
    }
  }
  return summaries;
}

std::vector<float> weightsOf(const AttentionRow& row, int head) {
  if (head >= 0) {
    const auto first = row.weights.begin() + std::ptrdiff_t(head) * row.keys;
    return {first, first + row.keys};
  }
  std::vector<float> mean(row.keys, 0);
  for (std::size_t i = 0; i < row.weights.size(); ++i) mean[i % row.keys] += row.weights[i] / float(row.heads);
  return mean;
}

}  // namespace mla::ui
