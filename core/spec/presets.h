#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/spec/experiment.h"

namespace mla {

/// A published model's shape, or the tutorial's toy block.
struct Preset {
  std::string name;   ///< as `--preset` takes it
  std::string title;  ///< as a person reads it
  ModelSpec spec;
  std::string note;  ///< what the shape leaves out, e.g. a sliding window; may be empty
};

/// Every preset of resources/presets.json (compiled in), in the file's order.
const std::vector<Preset>& presets();

/// The preset with that name; the error lists the known ones.
Result<Preset> find_preset(std::string_view name);

/// An experiment that runs a preset: one layer of it (all, where there is one), random weights, absorbed where it is MLA.
Experiment experiment_from(const Preset& preset);

}  // namespace mla
