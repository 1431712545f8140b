#include "core/engine/run.h"

#include <cstdio>

#include "core/analysis/memory.h"
#include "core/engine/thread_guard.h"
#include "core/model/checkpoint.h"

namespace mla {
namespace {

Result<LoadedModel> load_trained(const Experiment& experiment, const Progress& progress, std::stop_token stop) {
  auto checkpoint = load_checkpoint(experiment.model, progress, std::move(stop));
  if (!checkpoint) return checkpoint.error();
  LoadedModel loaded{experiment, checkpoint->weights};
  loaded.experiment.spec = checkpoint->spec;
  loaded.experiment.layers = checkpoint->spec.num_hidden_layers;
  if (Status valid = validate(loaded.experiment); !valid) return valid.error();
  return loaded;
}

}  // namespace

Result<LoadedModel> load(const Experiment& experiment, const ModelWeights* previous, const Progress& progress, std::stop_token stop) {
  note_engine_call();
  if (!experiment.model.empty()) return load_trained(experiment, progress, std::move(stop));
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
