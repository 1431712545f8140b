#include "gpu/ops/cache_rows.h"

#include "gpu/kernels/cache_rows.cuh"

namespace mla::gpu {

void append_rows(Stream& stream, const CacheView& cache, const RowPositions& positions, Rows in, int rows) {
  launch<AppendRows>(stream, {rows}, {cache, in.data, in.stride, positions.first, positions.batch});
}

void read_rows(Stream& stream, const CacheView& cache, const RowRange& range, Rows out) {
  if (range.count > 0)
    launch<ReadRows>(stream, {range.count}, {cache, out.data, out.stride, range.sequence, range.first, range.columns});
}

}  // namespace mla::gpu
