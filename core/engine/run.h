#pragma once

#include <memory>

#include "core/engine/backend.h"
#include "core/model/weights.h"
#include "core/spec/experiment.h"

namespace mla {

/// A model that is ready to run: the experiment with the dimensions that the checkpoint dictates, and its weights.
struct LoadedModel {
  Experiment experiment;
  std::shared_ptr<const ModelWeights> weights;
};

/// Loads the experiment's checkpoint, or builds its random weights (sharing with `previous`), after checking that all fits.
/// Cancellation gives an Error with the message "cancelled".
Result<LoadedModel> load(const Experiment& experiment, const ModelWeights* previous = nullptr, const Progress& progress = {},
                         std::stop_token stop = {});

/// The CPU backend; lives as long as the program.
std::unique_ptr<ComputeBackend> make_cpu_backend();

/// Whether token ids are bytes, so that text goes in and comes out; checkpoints bring their tokenizers, which are not read
/// yet.
inline bool is_byte_vocabulary(const ModelSpec& spec) { return spec.vocab_size == 256; }

/// Text of one token id: a byte of the random models' byte vocabulary, printable or as an escape such as "\n" or "\x9c".
std::string token_text(int token);

/// The byte ids of a prompt for a byte vocabulary.
std::vector<int> tokenize(std::string_view text);

}  // namespace mla
