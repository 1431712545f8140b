#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// The deepest nesting that parse_strict_json takes, so that what walks a value may recurse.
inline constexpr int max_json_depth = 64;

/// Parses JSON and refuses what the parser itself would let pass: a key that repeats within one object, and nesting beyond
/// max_json_depth. Errors begin with `path` and call the text `what`.
Result<nlohmann::json> parse_strict_json(const std::string& path, std::string_view text, const std::string& what);

}  // namespace mla
