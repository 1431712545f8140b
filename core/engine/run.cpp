#include "core/engine/run.h"

#include "core/analysis/memory.h"
#include "core/analysis/rank_lens.h"
#include "core/engine/thread_guard.h"
#include "core/model/checkpoint.h"
#include "core/model/elastic.h"
#include "core/model/model_catalog.h"

namespace mla {
namespace {

Result<LoadedModel> load_trained(const Experiment& experiment, const ModelWeights* previous, const Progress& progress,
                                 std::stop_token stop) {
  const auto spec = read_model_spec(model_directory(experiment.model));
  if (!spec) return spec.error();
  if (full_size(*spec) != full_size(experiment.spec)) {
    Experiment own = experiment;
    own.spec = *spec;
    return Error{"model " + experiment.model + ": its config.json fixes its dimensions; asked was " + describe(experiment) +
                 ", it has " + describe(own)};
  }
  if (Status valid = validate(experiment); !valid) return valid.error();
  auto vocabulary = vocabulary_of(experiment);
  if (!vocabulary) return vocabulary.error();
  // Cut weights no longer hold what is in the files; what they were cut from does.
  const ModelWeights* known = previous && previous->lens ? previous->lens->whole.get() : previous;
  auto checkpoint = load_checkpoint(model_directory(experiment.model), {experiment.layers, known, progress, stop});
  if (!checkpoint) return checkpoint.error();
  // Only what `previous` converted is in memory yet.
  const std::int64_t held = narrowed(checkpoint->weights, experiment.weights_dtype, previous)->held_bytes();
  const std::int64_t lens = lens_rank(experiment.spec.attention) > 0 ? lens_bytes(experiment.spec, experiment.layers) : 0;
  if (Status fits = check_fits(experiment, available_memory() - lens, held); !fits) return fits.error();
  auto weights = apply_lens(slice_elastic(checkpoint->weights, without_lens(experiment.spec)), experiment.spec, previous,
                            experiment.threads, progress, std::move(stop));
  if (!weights) return weights.error();
  return LoadedModel{experiment, narrowed(std::move(*weights), experiment.weights_dtype, previous), std::move(*vocabulary)};
}

}  // namespace

Result<LoadedModel> load(const Experiment& experiment, const ModelWeights* previous, const Progress& progress,
                         std::stop_token stop) {
  note_engine_call();
  if (!experiment.model.empty()) return load_trained(experiment, previous, progress, std::move(stop));
  if (Status valid = validate(experiment); !valid) return valid.error();
  const std::int64_t shared = previous ? shared_weight_bytes(experiment, *previous) : 0;
  if (Status fits = check_fits(experiment, available_memory(), shared); !fits) return fits.error();
  auto weights = build_weights(experiment, previous, progress, std::move(stop));
  if (!weights) return weights.error();
  return LoadedModel{experiment, *weights, Vocabulary(experiment.spec.vocab_size)};
}

}  // namespace mla
