#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/spec/saved_experiment.h"

namespace mla {

/// The elastic model that the program opens with.
inline constexpr std::string_view kFairyTales = "fairy-tales";

/// Names of the models that come with the program, in the order of their comparison: fairy-tales first, then the plain ones.
/// Only those whose files are there.
std::vector<std::string> bundled_models();

/// The directory of a model given by bundled name or by path.
std::string model_directory(const std::string& model);

/// An experiment that runs a model (bundled name or directory) at the sizes that its config.json states, all its layers, in
/// the context it was trained for (at most 4096). The error names the file and the reason.
Result<Experiment> experiment_of_model(const std::string& model);

/// Reads a `.mla.json` file; what it leaves out is as in the model or preset that it names. The error names the file.
Result<SavedExperiment> read_saved_experiment(const std::string& path);

/// What the program starts with: the elastic bundled model continuing a fixed prompt by sampling; the random block where no
/// model is installed.
Experiment first_experiment();

/// A short text that no bundled model was trained on, for measuring them while somebody waits; the error names the file.
Result<std::string> held_out_excerpt();

}  // namespace mla
