#include "core/cache/row_format.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

RowLayout row_layout(const std::vector<RowSegment>& row, CacheDtype dtype, PageLayout page) {
  const RowFormat format(row, dtype);
  RowLayout layout;
  layout.dtype = dtype;
  layout.page = page;
  layout.values = format.values();
  layout.bytes = int(format.bytes());
  for (const RowFormat::Part& part : format.parts())
    layout.part[layout.parts++] = {part.dtype,  part.column,  part.segment.unit, part.segment.units,
                                   part.scales, int(part.at), int(part.scaled)};
  return layout;
}

}  // namespace mla::gpu
