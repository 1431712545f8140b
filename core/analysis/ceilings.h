#pragma once

#include <stop_token>

#include "core/analysis/cost.h"

namespace mla {

/// Measures what this machine can do with that many threads (0: all cores): bytes read from memory and multiply-adds per
/// second, the best of several rounds of each. Takes about a second and 256 MiB. Zero where the processor lacks the
/// instruction, or when stopped.
Ceilings measure_ceilings(int threads, std::stop_token stop = {});

}  // namespace mla
