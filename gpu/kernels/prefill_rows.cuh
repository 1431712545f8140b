#pragma once

// What the kernels of a prefill share.

#include "gpu/kernels/grouped_decode_rows.cuh"
#include "gpu/kernels/split_attention.cuh"
#include "gpu/ops/prefill_matrix.h"

namespace mla::gpu {

/// A row, as one key-value head of one sequence has them.
struct QueryRow {
  bool there;
  int position;        ///< from the first of the call
  std::int64_t query;  ///< row of q_nope, q_rope and out

  static MLA_DEVICE QueryRow of(const Prefill& p, int kv_head, int sequence, int row) {
    const DeviceAttention& a = p.problem;
    const int position = row / p.shared, head = kv_head * p.shared + row % p.shared;
    return {position < a.positions, position, (std::int64_t(position) * a.batch + sequence) * a.heads + head};
  }
};

/// A block's first row. Those of the last positions, which see the most keys, come first.
MLA_DEVICE int first_row(int rows) { return (int(gridDim.x) - 1 - int(blockIdx.x)) * rows; }

/// Keys that the rows of a tile see at most.
MLA_DEVICE int keys_of_rows(const Prefill& p, int first, int rows) {
  const int last = (first + rows - 1) / p.shared, positions = p.problem.positions;
  return *p.problem.first + 1 + (last < positions ? last : positions - 1);
}

}  // namespace mla::gpu
