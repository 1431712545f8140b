#include "core/engine/chunk.h"

#include <algorithm>
#include <limits>

namespace mla {

std::int64_t score_bytes_per_position(const Experiment& experiment, std::int64_t keys) {
  const double bytes = 12.0 * experiment.spec.attention.num_attention_heads * experiment.batch * (double(keys) + 16);
  return bytes < 9e18 ? std::int64_t(bytes) : std::numeric_limits<std::int64_t>::max();
}

int chunk_positions(const Experiment& experiment, int first, int wanted) {
  int count = std::min(wanted, kMaxChunk);
  while (count > 1 && score_bytes_per_position(experiment, first + count) > kChunkScoreBytes / count)
    count = (count + 1) / 2;
  return count;
}

}  // namespace mla
