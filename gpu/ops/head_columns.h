#pragma once

#include "gpu/ops/attention.h"

namespace mla::gpu {

/// Where one part of the keys, or the values, of all key-value heads lies in a row (KvLayout).
struct HeadColumns {
  int count = 0;         ///< values of a head
  int offset = 0;        ///< column of head 0's first
  int stride = 0;        ///< columns between heads
  bool aligned = false;  ///< in one unit of one part, and eight values from every multiple of 8 can be read at once
};

HeadColumns nope_columns(const DeviceAttention& problem);
HeadColumns rope_columns(const DeviceAttention& problem);
HeadColumns value_columns(const DeviceAttention& problem);

/// The part of a row that holds a column.
const RowPart& part_holding(const RowLayout& row, int column);

/// Whether keys and values share columns, as in absorbed MLA.
bool values_are_keys(const DeviceAttention& problem);

}  // namespace mla::gpu
