#pragma once

#include <string>
#include <string_view>

#include "core/spec/model_spec.h"
#include "core/spec/result.h"

namespace mla {

/// What config.json states beside the shape.
struct CheckpointConfig {
  ModelSpec spec;
  bool attention_bias = false;  ///< biases of q_a_proj, kv_a_proj_with_mqa and o_proj (deepseek)
};

/// Reads and validates a model directory's config.json. A null there means absent.
Result<CheckpointConfig> read_checkpoint_config(const std::string& directory);

/// The same for the file's text; errors start with `path`.
Result<CheckpointConfig> parse_checkpoint_config(std::string_view text, const std::string& path);

}  // namespace mla
