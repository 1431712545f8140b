#pragma once

#include "core/spec/experiment.h"

namespace mla {

/// Whether a setting's present value is one that its own rule allows: for experiments that were not made by `apply`.
Status recheck(const Experiment& experiment, std::string_view setting_name);

}  // namespace mla
