#pragma once

#include <QString>
#include <vector>

#include "core/spec/experiment.h"

namespace mla::ui {

/// A name for each run that tells it from the others and from the present one: the settings in which any of them differ,
/// e.g. "kv-lora-rank 8 · heads 4", or of many as many as it takes to tell them apart. The whole description where nothing
/// differs.
std::vector<QString> names_of_runs(const std::vector<const Experiment*>& runs, const Experiment& present);

}  // namespace mla::ui
