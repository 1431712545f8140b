#pragma once

#include "gpu/ops/attention_plan.h"

namespace mla::gpu {

inline constexpr const char* kGroupedDecode = "grouped_decode";         ///< eight values at once
inline constexpr const char* kGroupedDecodeAny = "grouped_decode_any";  ///< rows of any width

/// Whether it is one query a head whose keys are not values as well, and the kernels have room for it.
bool grouped_decode_handles(const DeviceFacts& device, const DeviceAttention& problem);

/// Its plan but for the splits.
AttentionPlan plan_grouped_decode(const DeviceAttention& problem);

/// The products of one query a head over keys and values of several heads (MHA, GQA, MQA, expanded MLA), in fp32; up to
/// merging the splits.
void grouped_decode(Stream& stream, const AttentionPlan& plan, const SplitAttention& split);

}  // namespace mla::gpu
