#pragma once

#include "gpu/ops/latent_decode.h"
#include "gpu/ops/prefill.h"

namespace mla::gpu {

/// The kernels that do the products of an attention.
enum class AttentionKind {
  plain,       ///< any shape, any type
  latent,      ///< absorbed MLA on the matrix units
  warpgroups,  ///< absorbed MLA of (576, 512) in bf16 by wgmma and bulk copies, compute capability 9.0
  grouped,     ///< one query a head, keys and values of several heads
  prefill,     ///< many queries at which nobody looks; has no splits
};

/// How an attention is done.
struct AttentionPlan {
  AttentionKind kind = AttentionKind::plain;
  int tile_heads = 1;  ///< heads that a block takes
  int tiles = 1;       ///< blocks for all heads of a query
  int splits = 1;      ///< blocks for all tokens
  LatentDecodePlan latent;
  const char* grouped_name = nullptr;
  PrefillPlan prefill;

  std::int64_t blocks(const DeviceAttention& problem) const {
    return std::int64_t(problem.positions) * problem.batch * tiles * splits;
  }
};

/// The kernel's name in the LaunchLog.
const char* name_of(const AttentionPlan& plan);

AttentionPlan plan_attention(const DeviceFacts& device, const DeviceAttention& problem);

/// The problem with its splits' results in `workspace`.
SplitAttention split_attention(const DeviceAttention& problem, const AttentionPlan& plan, std::byte* workspace);

}  // namespace mla::gpu
