#pragma once

#include <memory>
#include <optional>
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

/// How load_checkpoint goes about it.
struct LoadOptions {
  std::optional<int> layers = {};          ///< so many from the first on; the others are checked but never converted
  const ModelWeights* previous = nullptr;  ///< what it has of the same, unchanged files is shared, not converted again
  Progress progress = {};
  std::stop_token stop = {};
};

/// The shape that a model directory's config.json states, without touching its weights. Knows the model types "toy-mla" (the
/// tutorial's block), "deepseek_v2" and "deepseek_v3" (dense or with experts), "llama", "mistral" and "qwen2"; anything else
/// is refused by name. YaRN is on only where max_position_embeddings exceeds the original length, as in DeepSeek's own code.
Result<ModelSpec> read_model_spec(const std::string& directory);

/// The weights as well, from model.safetensors or the shards of model.safetensors.index.json: F32, F16, BF16, or F8_E4M3 in
/// blocks with scales (`quantization_config` fp8). The files stay mapped, and a tensor becomes fp32 when it is first used
/// (by any thread), so that experts that no token is routed to cost no memory. Every tensor's presence, shape and type is
/// checked against config.json first; errors name the file, the tensor or field, its value and the rule. Cancellation gives
/// an Error with the message "cancelled".
///
/// With fewer layers than the model has, its outputs are the final norm and head applied after the last of those.
/// Where a file pairs RoPE values as halves (llama; deepseek_v3 with rope_interleave false), the rows of q_proj, k_proj,
/// q_b_proj and kv_a_proj_with_mqa are put in the order of interleaved pairs, and so are their biases: scores are the same,
/// and cached keys have the engine's order.
Result<LoadedCheckpoint> load_checkpoint(const std::string& directory, const LoadOptions& options = {});

}  // namespace mla
