#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "core/model/weights.h"
#include "core/spec/model_spec.h"

namespace mla {

/// What a model directory holds.
struct LoadedCheckpoint {
  ModelSpec spec;
  std::shared_ptr<const ModelWeights> weights;
};

/// The shape that a model directory's config.json states, without touching its weights. Knows the model types "toy-mla" (the
/// tutorial's block) and "deepseek_v2" and "deepseek_v3" with dense layers; anything else is refused by name.
/// YaRN is on only where max_position_embeddings exceeds the original length, as in DeepSeek's own code.
Result<ModelSpec> read_model_spec(const std::string& directory);

/// The weights as well, from model.safetensors (F32, F16 or BF16), as fp32. Every tensor's presence, shape and type is
/// checked against config.json before anything is allocated; errors name the file, the tensor or field, its value and the
/// rule. Cancellation gives an Error with the message "cancelled".
Result<LoadedCheckpoint> load_checkpoint(const std::string& directory, const Progress& progress = {},
                                         std::stop_token stop = {});

}  // namespace mla
