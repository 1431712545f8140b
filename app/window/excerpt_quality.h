#pragma once

#include <optional>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// Bits per byte on the held-out excerpt that comes with the program; not set for a model without a vocabulary or with
/// random weights, where they would mean nothing. Errors: no excerpt, or as measure_quality.
Result<std::optional<double>> excerpt_bits_per_byte(const LoadedModel& model, ComputeBackend& backend);

}  // namespace mla
