#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// The deepest nesting that parse_json takes; what walks a value may then recurse.
inline constexpr int max_json_depth = 64;

/// The JSON value that the whole text spells. Refuses what is not JSON, a name that an object gives twice, and nesting
/// beyond max_json_depth. Errors start with `source`.
Result<nlohmann::json> parse_json(std::string_view text, const std::string& source);

}  // namespace mla
