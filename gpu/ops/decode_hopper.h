#pragma once

#include "gpu/ops/attention_plan.h"

namespace mla::gpu {

/// Whether the products of warpgroups (compute capability 9.0) do absorbed MLA with such a cache: (576, 512) in bf16.
bool hopper_decode_takes(const DeviceFacts& device, const RowLayout& row, const KvLayout& layout);

/// The same of a problem, whose pages have to be tiles.
bool hopper_decode_handles(const DeviceFacts& device, const DeviceAttention& problem);

AttentionPlan plan_hopper_decode(const DeviceFacts& device, const DeviceAttention& problem);

/// The products, up to merging the splits.
void hopper_decode(Stream& stream, const AttentionPlan& plan, const SplitAttention& split);

/// The name of the kernel.
const char* hopper_decode_name();

}  // namespace mla::gpu
