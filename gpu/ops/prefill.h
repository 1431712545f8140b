#pragma once

#include "gpu/ops/attention.h"

namespace mla::gpu {

inline constexpr const char* kPrefillTiled = "prefill_tiled";    ///< any type and width, in fp32
inline constexpr const char* kPrefillMatrix = "prefill_matrix";  ///< matrix units

/// A block of the matrix kernel: its warps stand in rows of 16 queries and in columns that share out keys and values.
struct PrefillTile {
  int row_warps, column_warps;
};

inline constexpr PrefillTile kPrefillTiles[] = {{4, 1}, {4, 2}, {4, 4}, {2, 4}};

/// How many queries meet the cache.
struct PrefillPlan {
  const char* name = kPrefillTiled;
  int tile = -1;   ///< of kPrefillTiles; none: kPrefillTiled
  int stages = 1;  ///< blocks of tokens in shared memory: one that is met, and one that is on its way
};

/// Whether it is many queries at which nobody looks.
bool prefill_handles(const DeviceAttention& problem);

/// What suits the device, the type and the shape.
PrefillPlan plan_prefill(const DeviceFacts& device, const DeviceAttention& problem);

/// All of an attention of many queries: nothing is split and nothing left to merge.
void prefill(Stream& stream, const PrefillPlan& plan, const DeviceAttention& problem);

}  // namespace mla::gpu
