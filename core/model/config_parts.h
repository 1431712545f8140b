#pragma once

#include <optional>
#include <string>

#include "core/model/checkpoint_config.h"
#include "core/model/config_fields.h"

namespace mla {

// Parts of a config.json that several model types share. `path` begins the errors about nested objects.

/// Which `rope_scaling` a model type knows, beside none and "default".
enum class RopeScaling { yarn, llama };

/// `rope_theta` and `rope_scaling`, or `rope_parameters` as newer files name it, with the base frequency inside or beside
/// it. Deepseek's knows type yarn, on only where `max_positions` exceeds the original length; llama's knows linear and
/// llama3.
Result<RopeSpec> read_rope(const std::string& path, ConfigFields& config, RopeScaling known, int max_positions);

/// The mixture of experts; none where n_routed_experts is absent or all of the `layers` are dense. What deepseek_v3
/// configurations leave out stands as in that model: sigmoid, noaux_tc, normalised.
std::optional<MoeSpec> read_moe(ConfigFields& config, bool v3, int layers);

/// The blocks of `quantization_config`, none where it is absent. Only quant_method fp8 (E4M3) is known.
Result<std::optional<ScaleBlock>> read_fp8(const std::string& path, ConfigFields& config);

}  // namespace mla
