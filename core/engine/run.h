#pragma once

#include <memory>

#include "core/engine/backend.h"
#include "core/model/vocabulary.h"
#include "core/model/weights.h"
#include "core/spec/experiment.h"

namespace mla {

/// A model that is ready to run: the experiment with the dimensions that the checkpoint dictates, its weights and its text.
struct LoadedModel {
  Experiment experiment;
  std::shared_ptr<const ModelWeights> weights;
  Vocabulary vocabulary;
};

/// Loads the experiment's checkpoint, or builds its random weights (sharing with `previous`), after checking that all fits.
/// Cancellation gives an Error with the message "cancelled".
Result<LoadedModel> load(const Experiment& experiment, const ModelWeights* previous = nullptr, const Progress& progress = {},
                         std::stop_token stop = {});

/// The CPU backend; lives as long as the program.
std::unique_ptr<ComputeBackend> make_cpu_backend();

}  // namespace mla
