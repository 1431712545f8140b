#include "core/engine/run.h"

#include <cstdio>

#include "core/analysis/memory.h"
#include "core/engine/thread_guard.h"
#include "core/model/checkpoint.h"

namespace mla {
namespace {

Result<LoadedModel> load_trained(const Experiment& experiment, const ModelWeights* previous, const Progress& progress,
                                 std::stop_token stop) {
  const auto spec = read_model_spec(experiment.model);
  if (!spec) return spec.error();
  if (*spec != experiment.spec) {
    Experiment own = experiment;
    own.spec = *spec;
    return Error{"model " + experiment.model + ": its config.json fixes its dimensions; asked was " + describe(experiment) +
                 ", it has " + describe(own)};
  }
  if (Status valid = validate(experiment); !valid) return valid.error();
  auto checkpoint = load_checkpoint(experiment.model, {experiment.layers, previous, progress, std::move(stop)});
  if (!checkpoint) return checkpoint.error();
  // Only what `previous` converted is in memory yet.
  const std::int64_t held = checkpoint->weights->held_bytes();
  if (Status fits = check_fits(experiment, available_memory(), held); !fits) return fits.error();
  return LoadedModel{experiment, checkpoint->weights};
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
  return LoadedModel{experiment, *weights};
}

std::string token_text(int token) {
  if (token == '\n') return "\\n";
  if (token >= 32 && token < 127) return std::string(1, char(token));
  char escape[8];
  std::snprintf(escape, sizeof escape, "\\x%02x", unsigned(token) & 0xffu);
  return escape;
}

std::vector<int> tokenize(std::string_view text) {
  std::vector<int> tokens;
  for (char c : text) tokens.push_back(std::uint8_t(c));
  return tokens;
}

}  // namespace mla
