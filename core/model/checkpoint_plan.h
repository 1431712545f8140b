#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/model/checkpoint_config.h"
#include "core/model/weights.h"

namespace mla {

/// Where one tensor of a checkpoint goes. `shape` is [rows, cols], or [rows] of a vector.
struct PlannedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  Weight* target = nullptr;
};

/// Every tensor that the model must have, in the checkpoint's own names. Resizes `weights.layers`; the targets point into
/// it.
std::vector<PlannedTensor> plan_tensors(const CheckpointConfig& config, ModelWeights& weights);

/// Whether a tensor may be there unused: precomputed RoPE frequencies, and a tied head.
bool may_be_ignored(const CheckpointConfig& config, const std::string& name);

}  // namespace mla
