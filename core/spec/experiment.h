#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/model_spec.h"
#include "core/spec/result.h"

namespace mla {

/// How the next token is chosen. temperature 0 is greedy; top_k 0 and top_p 1 leave all tokens in.
struct Sampling {
  double temperature = 0;
  int top_k = 0;
  double top_p = 1;
  bool operator==(const Sampling&) const = default;
};

/// Everything that determines a run; the window, the command line, a file and a benchmark build one of these and nothing
/// else.
struct Experiment {
  std::string model;   ///< directory of a checkpoint; empty: random weights of shape `spec`
  std::string preset;  ///< the preset that `spec` began as; empty: none
  ModelSpec spec;
  int layers = 2;  ///< layers that run, at most spec.num_hidden_layers (memory counts all of those); logits follow the last
  AttentionPath path = AttentionPath::absorbed;
  CacheDtype cache_dtype = CacheDtype::fp32;
  WeightsDtype weights_dtype = WeightsDtype::stored;
  int context = 4096;  ///< most tokens the run may hold
  int prefill = 0;     ///< synthetic tokens that are already cached at the start
  int batch = 1;       ///< sequences decoded together
  std::string backend = "cpu";
  int threads = 0;  ///< 0: as many as the machine has cores
  std::string isa;  ///< instruction set of the CPU kernels; empty: the best one
  std::uint64_t seed = 1;
  Sampling sampling;
  std::string prompt = "Once upon a time there was a king";

  bool operator==(const Experiment&) const = default;
};

/// A named setting: `kv-lora-rank`, `heads`, `path` … as on the command line, less the two dashes.
struct Setting {
  std::string name;
  std::string value;
};

/// The names that `apply` understands, in the order of `--help`.
const std::vector<std::string_view>& setting_names();

/// The experiment with one setting changed, what depends on it adjusted (a variant brings its path, a head count its groups)
/// but not yet validated: several settings may only make sense together. The error names the setting, the value and the
/// rule.
Result<Experiment> apply(const Experiment& experiment, const Setting& setting);

/// Several settings at once, whatever their order in the list: a later one of the same name wins, and what one implies for
/// another gives way to what is given. The error names a setting that the others contradict.
Result<Experiment> apply_all(const Experiment& experiment, const std::vector<Setting>& settings);

/// The value that `apply` would take to leave the experiment as it is, e.g. "64" for `kv-lora-rank`.
std::string value_of(const Experiment& experiment, std::string_view setting_name);

/// Checks the experiment as a whole: dimensions, path against variant, layers, context, batch, threads, sampling.
Status validate(const Experiment& experiment);

/// What the experiment starts from without a model or preset: a random decoder block of hidden size 512, byte vocabulary.
Experiment default_experiment();

/// The JSON of a `.mla.json` file (format version 1) that holds the experiment alone.
std::string to_json(const Experiment& experiment);

/// The experiment of a `.mla.json` file (core/spec/saved_experiment.h). `source` names the file in errors; unknown fields
/// and versions are refused by name.
Result<Experiment> experiment_from_json(std::string_view text, std::string_view source);

/// One line that tells two experiments apart, e.g. "MLA absorbed · c 64 · 8 heads · bf16".
std::string describe(const Experiment& experiment);

/// What distinguishes `other` from `base`, e.g. "c 64 → 8"; empty if nothing does.
std::string describe_difference(const Experiment& base, const Experiment& other);

}  // namespace mla
