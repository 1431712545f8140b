#pragma once

#include "gpu/ops/attention_plan.h"

namespace mla::gpu {

inline constexpr const char* kPlainAttention = "plain_attention";

/// The products of any attention, in fp32; up to merging the splits.
void plain_attention(Stream& stream, const AttentionPlan& plan, const SplitAttention& split);

}  // namespace mla::gpu
