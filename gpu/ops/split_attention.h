#pragma once

#include "gpu/ops/attention.h"

namespace mla::gpu {

/// Of the scores that one split saw: the largest, and the sum of all e^(score - top).
struct SplitTotal {
  float top, total;
};

/// An attention and where its splits leave their results. A row is (position, sequence, head).
struct SplitAttention {
  DeviceAttention problem;
  int splits;
  float* sums;         ///< [splits, rows, value]: divided by the split's total; with one split the output itself
  SplitTotal* totals;  ///< [splits, rows]
  std::int64_t rows;   ///< positions · batch · heads
};

}  // namespace mla::gpu
