#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "core/spec/result.h"

namespace mla {

/// Parses JSON and refuses a key that repeats within one object, which the parser itself would let pass. Errors begin with
/// `path` and call the text `what`.
Result<nlohmann::json> parse_strict_json(const std::string& path, std::string_view text, const std::string& what);

}  // namespace mla
