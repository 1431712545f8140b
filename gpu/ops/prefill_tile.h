#pragma once

#include <algorithm>

#include "gpu/ops/prefill.h"

namespace mla::gpu {

/// How the matrix kernel of a prefill divides its shared memory: queries, then stages of keys (and values), weights, notes.
/// Rows lie an odd number of 16 bytes apart, so that the 8 rows of a matrix meet all banks. In bytes unless it says
/// otherwise.
struct PrefillShared {
  static constexpr int kKeys = 32;          ///< tokens of a stage
  static constexpr int kMostColumns = 128;  ///< of the values, of a warp
  static constexpr int kWeightPitch = 80;   ///< 32 weights and 8 to spare

  int key_chunks = 0;    ///< 8 values each, an even number
  int value_chunks = 0;  ///< the same; 0 where the values are columns of the keys
  int own_columns = 0;   ///< of the values, of a warp: a multiple of 16
  int key_pitch = 0, value_pitch = 0;
  int keys = 0;    ///< where the first stage begins
  int values = 0;  ///< from a stage's begin to its values
  int stage = 0;   ///< of one
  int weights = 0, notes = 0, bytes = 0;

  PrefillShared() = default;
  PrefillShared(const PrefillTile& tile, const DeviceAttention& a, bool values_in_keys, int stages) {
    const KvLayout& l = a.layout;
    const auto pairs = [](int count) { return (count + 15) / 16 * 2; };
    const auto pitch = [](int count) { return (count | 1) * 16; };
    const int rows = 16 * tile.row_warps;
    key_chunks = pairs(l.nope + l.rope);
    own_columns = (l.value + 16 * tile.column_warps - 1) / (16 * tile.column_warps) * 16;
    value_chunks = values_in_keys ? 0 : std::max(pairs(l.value), own_columns / 8 * tile.column_warps);
    key_pitch = pitch(key_chunks);
    value_pitch = values_in_keys ? key_pitch : pitch(value_chunks);
    keys = rows * key_pitch;
    values = values_in_keys ? (l.value_offset - l.nope_offset) * 2 : kKeys * key_pitch;
    stage = kKeys * (key_pitch + (values_in_keys ? 0 : value_pitch));
    weights = keys + stages * stage;
    notes = weights + rows * kWeightPitch;
    bytes = notes + 4 * rows * tile.column_warps;
  }
};

}  // namespace mla::gpu
