#pragma once

#include <string>
#include <utility>

#include "core/spec/experiment.h"

namespace mla {

/// What each of two experiments has where they differ, e.g. {"c 64 · fp32", "c 8 · bf16"}; both empty if nothing tells them
/// apart. The parts of describe_difference.
std::pair<std::string, std::string> describe_apart(const Experiment& first, const Experiment& second);

}  // namespace mla
