#pragma once

#include <string>

#include "core/spec/experiment.h"

namespace mla {

/// The experiment that `--against` names: a saved one (FILE.mla.json, any name that ends in .json), or `base` with settings
/// changed (name=value, several after commas). Validated; the error names the option, what is wrong and the rule.
Result<Experiment> parse_against(const std::string& text, const Experiment& base);

}  // namespace mla
