#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/spec/model_spec.h"

namespace mla {

/// A model's shape under the names of a Hugging Face config.json, frequency scaling as its `rope_scaling`, plus `variant` and
/// `block`. The fields of a mixture of experts are there where the model is one.
nlohmann::ordered_json to_json(const ModelSpec& spec);

/// Reads what to_json wrote over `start`, whose values stand where a field is missing. `where` begins the error. Not
/// validated.
Result<ModelSpec> model_from_json(const nlohmann::json& object, const std::string& where, const ModelSpec& start);

}  // namespace mla
