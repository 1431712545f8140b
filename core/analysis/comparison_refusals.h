#pragma once

#include <span>

#include "core/engine/run.h"

namespace mla {

/// Whether the two can be compared on these tokens; the error says in one sentence why not.
Status check_comparison(const LoadedModel& first, const LoadedModel& second, std::span<const int> tokens, int layer);

}  // namespace mla
