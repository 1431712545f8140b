#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/spec/experiment.h"

namespace mla {

/// One setting of the picture that shows what MLA buys: how well text is predicted at how many cached bytes.
struct QualityPoint {
  std::string curve;                 ///< points of the same curve belong together, e.g. "fairy-tales, latent 1 to 64"
  std::string name;                  ///< e.g. "c 16", "MHA"
  bool present = false;              ///< whether these are the experiment's own settings
  Experiment experiment;             ///< what is to be measured
  std::int64_t bytes_per_token = 0;  ///< of one sequence, all layers that run
  double bits_per_byte = 0;          ///< 0: not measured yet
  std::string error;                 ///< why it could not be measured
};

/// What is worth measuring beside an experiment that runs a trained model, none of it measured yet: of an elastic model
/// every octave of its latent, the present one included, at the other settings as they are; of any other itself. Where the
/// model is one that comes with the program, so are the others that do, at their full size and in the same cache precision.
/// Empty for random weights.
std::vector<QualityPoint> plan_quality_curve(const Experiment& experiment);

}  // namespace mla
