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
  switch (table.type) {
    case WeightType::fp32:
      return launch<GatherRows<WeightType::fp32>>(stream, {rows}, {table, ids, out.data, out.stride});
    case WeightType::bf16:
      return launch<GatherRows<WeightType::bf16>>(stream, {rows}, {table, ids, out.data, out.stride});
    case WeightType::int8:
      return launch<GatherRows<WeightType::int8>>(stream, {rows}, {table, ids, out.data, out.stride});
  }
}

void add(Stream& stream, float* x, const float* y, std::int64_t count) { each<AddValues>(stream, x, y, count); }
void relu(Stream& stream, float* x, std::int64_t count) { each<ReluValues>(stream, x, x, count); }
void silu_multiply(Stream& stream, float* gate, const float* up, std::int64_t count) {
  each<SiluTimes>(stream, gate, up, count);
}

void copy_block(Stream& stream, const BlockCopy& c) {
  if (c.outer * c.inner == 0 || c.width == 0) return;
  launch<CopyBlock>(stream, {c.outer * c.inner},
                    {c.from, c.to, c.from_outer, c.from_inner, c.to_outer, c.to_inner, c.inner, c.width});
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

void expand_rows(Stream& stream, const RowExpansion& e) {
  launch<ExpandRows>(stream, {e.rows},
                     {e.up, e.compressed.data, e.out.data, e.compressed.stride, e.out.stride, e.heads, e.nope, e.rope,
                      e.value, e.latent, e.latent_keys});
}

}  // namespace mla::gpu
