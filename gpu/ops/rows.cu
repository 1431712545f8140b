#include "gpu/ops/rows.h"

#include "gpu/kernels/elementwise.cuh"
#include "gpu/kernels/expand_rows.cuh"
#include "gpu/kernels/rope.cuh"

namespace mla::gpu {
namespace {

template <class Function>
void each(Stream& stream, float* x, const float* y, std::int64_t count) {
  using Kernel = Elementwise<Function>;
  if (count > 0) launch<Kernel>(stream, {int((count + Kernel::kThreads - 1) / Kernel::kThreads)}, {x, y, count});
}

}  // namespace

void gather_rows(Stream& stream, const Matrix& table, const int* ids, int rows, Rows out) {
  with_type(table.type, [&](auto type) { launch<GatherRows<type()>>(stream, {rows}, {table, ids, out.data, out.stride}); });
}

void add(Stream& stream, float* x, const float* y, std::int64_t count) { each<AddValues>(stream, x, y, count); }
void relu(Stream& stream, float* x, std::int64_t count) { each<ReluValues>(stream, x, x, count); }
void silu_multiply(Stream& stream, float* gate, const float* up, std::int64_t count) {
  each<SiluTimes>(stream, gate, up, count);
}

void copy_block(Stream& stream, const BlockCopy& c) {
  if (c.outer * c.inner == 0 || c.width == 0) return;
  launch<CopyBlock>(stream, {c.outer * c.inner}, c);
}

void rotate(Stream& stream, const RopeView& rope, const RowPositions& positions, Rows x, int rows, int heads,
            int head_stride) {
  if (rope.dim == 0) return;
  launch<RotateHeads>(stream, {rows},
                      {x.data, rope.table, positions.first, x.stride, heads, head_stride, rope.dim, positions.batch});
}

void split_queries(Stream& stream, const RopeView& rope, const RowPositions& positions, const QuerySplit& s) {
  launch<SplitQueries>(
      stream, {s.rows * s.heads},
      {s.q, s.nope, s.rope, rope.table, positions.first, s.heads, s.nope_dim, s.rope_dim, positions.batch, s.scale});
}

void expand_rows(Stream& stream, const RowExpansion& e) { launch<ExpandRows>(stream, {e.rows}, e); }

}  // namespace mla::gpu
