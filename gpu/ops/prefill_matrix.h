#pragma once

#include "gpu/ops/head_columns.h"
#include "gpu/ops/prefill.h"

namespace mla::gpu {

/// A causal attention whose rows are queries of heads: those that share keys and values side by side, then the positions.
struct Prefill {
  DeviceAttention problem;
  HeadColumns nope, rope, value;
  int shared = 1;  ///< query heads of one key-value head

  /// Blocks of rows for one key-value head.
  int tiles(int rows) const { return (problem.positions * shared + rows - 1) / rows; }
};

Prefill prefill_of(const DeviceAttention& problem);

/// Whether the values are columns of the NoPE part of the keys.
bool values_in_keys(const DeviceAttention& problem);

/// What kPrefillMatrix names.
void prefill_matrix(Stream& stream, const PrefillPlan& plan, const Prefill& p);

}  // namespace mla::gpu
