#include "gpu/ops/attention.h"

namespace mla::gpu {
namespace {

int width_of(CacheDtype dtype) {
  if (dtype == CacheDtype::fp32) return 4;
  return dtype == CacheDtype::fp16 || dtype == CacheDtype::bf16 ? 2 : 1;
}

}  // namespace

RowLayout row_layout(const std::vector<RowSegment>& row, CacheDtype dtype, PageLayout page) {
  RowLayout layout;
  layout.dtype = dtype;
  layout.page = page;
  for (const RowSegment& segment : row) {
    RowPart& part = layout.part[layout.parts++];
    part.dtype = dtype == CacheDtype::fp8 && segment.rope_key ? CacheDtype::bf16 : dtype;
    part.column = layout.values;
    part.unit = segment.unit;
    part.units = segment.units;
    part.scales = scales_of(segment, dtype);
    part.at = layout.bytes;
    part.scaled = layout.bytes + segment.values() * width_of(part.dtype);
    layout.values += segment.values();
    layout.bytes += int(segment_bytes(segment, dtype));
  }
  return layout;
}

}  // namespace mla::gpu
