#pragma once

#include <memory>
#include <vector>

#include "core/analysis/comparison.h"
#include "ui/session/snapshot.h"

namespace mla::ui {

/// Three tokens; two heads that both sides have, a third that only the second has. In head 1 query 2 gives key 1 0.25 in the
/// first and 0.75 in the second; all else of head 1 and 0 is the same but what makes rows sum to 1.
inline Comparison sampleComparison() {
  Comparison c;
  c.layer = 3;
  c.ids = {10, 11, 12};
  c.texts = {"Once", " ", "king"};
  const std::vector<float> even = {1, 0, 0, 0.5f, 0.5f, 0, 0.25f, 0.5f, 0.25f};
  c.first.weights = {even, {1, 0, 0, 0.5f, 0.5f, 0, 0.5f, 0.25f, 0.25f}};
  c.second.weights = {even, {1, 0, 0, 0.5f, 0.5f, 0, 0.125f, 0.75f, 0.125f}, even};
  c.first.name = "c 64", c.second.name = "c 8";
  c.first.median_ms = 2, c.second.median_ms = 1;
  c.first.cache_bytes = 4096, c.second.cache_bytes = 1024;
  c.first.weight_bytes = c.second.weight_bytes = 2048;
  c.first.bits_per_byte = 1.5, c.second.bits_per_byte = 1.75;
  for (std::size_t h = 0; h < 2; ++h) c.difference.push_back(difference_of(c.first.weights[h], c.second.weights[h], 3));
  return c;
}

inline SnapshotPtr comparing(Comparison comparison) {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->comparison = std::make_shared<const Comparison>(std::move(comparison));
  return snapshot;
}

}  // namespace mla::ui
