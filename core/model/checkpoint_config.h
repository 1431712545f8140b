#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/spec/model_spec.h"
#include "core/spec/result.h"

namespace mla {

/// Rows and columns of a matrix that share one scale.
struct ScaleBlock {
  std::int64_t rows = 128;
  std::int64_t cols = 128;
};

/// What config.json states beside the shape.
struct CheckpointConfig {
  ModelSpec spec;
  bool attention_bias = false;  ///< of q_a_proj and kv_a_proj_with_mqa (deepseek), of q_proj, k_proj and v_proj (llama)
  bool output_bias = false;     ///< of o_proj
  bool mlp_bias = false;        ///< of gate_proj, up_proj and down_proj
  bool half_split = false;      ///< RoPE turns the pairs (i, i + r/2) of the stored rows, not (2i, 2i + 1)
  std::optional<ScaleBlock> fp8 = {};  ///< matrices may be F8_E4M3 with scales (quantization_config)
  int num_nextn_predict_layers = 0;    ///< layers stored after the last that predict further tokens; not used
};

/// Reads and validates a model directory's config.json. A null there means absent.
Result<CheckpointConfig> read_checkpoint_config(const std::string& directory);

/// The same for the file's text; errors start with `path`.
Result<CheckpointConfig> parse_checkpoint_config(std::string_view text, const std::string& path);

}  // namespace mla
