#pragma once

#include "gpu/ops/matrix.h"
#include "gpu/ops/norm.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Positions of the rows of a pass, which are ordered [position, sequence]: row i stands at *first + i / batch.
struct RowPositions {
  const int* first = nullptr;  ///< device
  int batch = 1;
};

/// out[rows, cols] = the rows of the table with those ids (device), as fp32.
void gather_rows(Stream& stream, const Matrix& table, const int* ids, int rows, Rows out);

/// x[i] += y[i] for `count` values; both [count], without gaps.
void add(Stream& stream, float* x, const float* y, std::int64_t count);

/// x[i] = max(x[i], 0)
void relu(Stream& stream, float* x, std::int64_t count);

/// gate[i] = silu(gate[i]) up[i]
void silu_multiply(Stream& stream, float* gate, const float* up, std::int64_t count);

/// A block [outer, inner, width] copied between arrays of other strides, in values.
struct BlockCopy {
  const float* from = nullptr;
  float* to = nullptr;
  std::int64_t from_outer = 0, from_inner = 0, to_outer = 0, to_inner = 0;
  int outer = 1, inner = 1, width = 0;
};
void copy_block(Stream& stream, const BlockCopy& copy);

/// cos and sin of a position's angles: device [context, dim], pairs side by side (core/attention/rope.h).
struct RopeView {
  const float* table = nullptr;
  int dim = 0;
};

/// Rotates the pairs of each head of each row in place: head h's begin at x[row] + h head_stride.
void rotate(Stream& stream, const RopeView& rope, const RowPositions& positions, Rows x, int rows, int heads,
            int head_stride);

/// q [rows, heads, nope + rope] split into q_nope [rows, heads, nope] and q_rope [rows, heads, rope], both scaled, the
/// latter rotated.
struct QuerySplit {
  const float* q = nullptr;
  float* nope = nullptr;
  float* rope = nullptr;
  int rows = 0, heads = 0, nope_dim = 0, rope_dim = 0;
  float scale = 1;
};
void split_queries(Stream& stream, const RopeView& rope, const RowPositions& positions, const QuerySplit& split);

/// Expanded rows: for some heads their keys [heads, nope + rope], then their values [heads, value], from what kv_b_proj made
/// [rows, heads, nope + value] and compressed rows, whose RoPE key is repeated for each head. The tutorial's block (nope 0,
/// rope 0): the latent, then the values.
struct RowExpansion {
  const float* up = nullptr;  ///< [rows, heads, nope + value]
  Rows compressed;            ///< [rows, latent + rope]
  Rows out;
  int rows = 0, heads = 0;
  int nope = 0, rope = 0, value = 0;
  int latent = 0;
  bool latent_keys = false;  ///< the tutorial's
};
void expand_rows(Stream& stream, const RowExpansion& expansion);

}  // namespace mla::gpu
