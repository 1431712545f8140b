#pragma once

#include "gpu/ops/attention.h"
#include "gpu/ops/rows.h"

namespace mla::gpu {

/// Encodes `rows` fp32 rows [position, sequence] into the pages of their positions, as core/cache/row_format.h does: the
/// same bytes.
void append_rows(Stream& stream, const CacheView& cache, const RowPositions& positions, Rows in, int rows);

/// Decodes the rows of the tokens [first, first + count) of one sequence: columns [0, columns) as fp32.
struct RowRange {
  int sequence = 0;
  int first = 0, count = 0;
  int columns = 0;
};
void read_rows(Stream& stream, const CacheView& cache, const RowRange& range, Rows out);

}  // namespace mla::gpu
