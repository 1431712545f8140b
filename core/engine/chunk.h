#pragma once

#include <cstdint>

#include "core/spec/experiment.h"

namespace mla {

/// A pass goes through the layers in chunks of at most so many positions …
inline constexpr int kMaxChunk = 256;
/// … and fewer where the buffers of their scores would need more bytes than this.
inline constexpr std::int64_t kChunkScoreBytes = 64ll << 20;

/// Bytes of score buffers (weights and the two parts of the scores, fp32) for one position in every sequence at that many
/// keys. Saturates instead of overflowing.
std::int64_t score_bytes_per_position(const Experiment& experiment, std::int64_t keys);

/// Positions that one chunk takes, of `wanted` that follow `first` others.
int chunk_positions(const Experiment& experiment, int first, int wanted);

}  // namespace mla
