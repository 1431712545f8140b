#include "gpu/ops/head_columns.h"

namespace mla::gpu {
namespace {

constexpr int kAtOnce = 8;

/// Whether eight values of the part, from a multiple of 8, lie at multiples of 16 bytes, or of 8 where a value is one, and
/// their scale at a multiple of its size.
bool is_aligned(const CacheView& cache, const RowPart& part) {
  const int step = value_bytes(part.dtype) == 1 ? 8 : 16;
  if (part.at % step != 0 || cache.row.bytes % step != 0 || cache.offset % step != 0 || cache.sequence_bytes % step != 0)
    return false;
  return part.scales == 0 || part.scaled % scale_bytes(part.dtype) == 0;
}

HeadColumns columns_of(const DeviceAttention& problem, int count, int offset, int stride) {
  HeadColumns columns{count, offset, stride, false};
  const CacheView& cache = problem.cache;
  const RowPart& part = part_holding(cache.row, offset);
  const int column = offset - part.column;
  if (cache.row.page != PageLayout::rows || !is_aligned(cache, part)) return columns;
  if (count % kAtOnce != 0 || column % kAtOnce != 0 || stride % kAtOnce != 0) return columns;
  const bool one_unit = column % part.unit + count <= part.unit && stride % part.unit == 0;
  columns.aligned = column + std::int64_t(problem.layout.kv_heads - 1) * stride + count <= part.unit * part.units &&
                    (part.scales == 0 || (one_unit && part.unit % kAtOnce == 0));
  return columns;
}

bool overlap(const HeadColumns& a, const HeadColumns& b, int heads) {
  const int a_end = a.offset + (heads - 1) * a.stride + a.count, b_end = b.offset + (heads - 1) * b.stride + b.count;
  return a.count > 0 && b.count > 0 && a.offset < b_end && b.offset < a_end;
}

}  // namespace

const RowPart& part_holding(const RowLayout& row, int column) {
  return row.part[row.parts > 1 && column >= row.part[1].column ? 1 : 0];
}

HeadColumns nope_columns(const DeviceAttention& problem) {
  const KvLayout& l = problem.layout;
  return columns_of(problem, l.nope, l.nope_offset, l.nope_stride);
}

HeadColumns rope_columns(const DeviceAttention& problem) {
  const KvLayout& l = problem.layout;
  return columns_of(problem, l.rope, l.rope_offset, l.rope_stride);
}

HeadColumns value_columns(const DeviceAttention& problem) {
  const KvLayout& l = problem.layout;
  return columns_of(problem, l.value, l.value_offset, l.value_stride);
}

bool values_are_keys(const DeviceAttention& problem) {
  const int heads = problem.layout.kv_heads;
  return overlap(nope_columns(problem), value_columns(problem), heads);
}

}  // namespace mla::gpu
