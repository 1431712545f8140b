#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/checkpoint_config.h"
#include "core/model/weights.h"

namespace mla {

/// Rows of a projection whose RoPE pairs are stored as halves: of every `head` rows, the last `rope` are rotated, the pairs
/// being (i, i + rope / 2). rope 0: as stored.
struct HalfSplit {
  std::int64_t head = 0;
  std::int64_t rope = 0;
  /// The stored row that becomes `row`, where pairs are (2i, 2i + 1).
  std::int64_t source(std::int64_t row) const;
};

/// Where one tensor of a checkpoint goes. `shape` is [rows, cols], or [rows] of a vector.
struct PlannedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  Weight* target = nullptr;
  HalfSplit pairs = {};
};

/// Every tensor that the model must have, in the checkpoint's own names. Resizes `weights.layers`; the targets point into
/// it.
std::vector<PlannedTensor> plan_tensors(const CheckpointConfig& config, ModelWeights& weights);

/// At least so many tensors does the plan hold; known without making it.
std::int64_t least_tensors(const ModelSpec& spec);

/// Whether a tensor may be there unused: precomputed RoPE frequencies, a tied head, and layers that predict further tokens.
bool may_be_ignored(const CheckpointConfig& config, const std::string& name);

}  // namespace mla
