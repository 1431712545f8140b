#include "app/cli/experiment_options.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "app/cli/output.h"
#include "core/model/model_catalog.h"
#include "core/spec/presets.h"

namespace mla {
namespace {

struct Help {
  std::string_view name, value, text;
};

constexpr std::array kHelp = {
    Help{"variant", "mla|mha|gqa|mqa", "what is cached per token"},
    Help{"attention", "uncached|expanded|reexpanded|absorbed", "how attention is computed from it"},
    Help{"kv-lora-rank", "N", "values of the latent (MLA)"},
    Help{"lens-rank", "N", "rank lens: cut keys and values of a trained model to rank N; 0: whole"},
    Help{"q-lora-rank", "N", "values of the compressed query; 0: not compressed"},
    Help{"heads", "N", "attention heads"},
    Help{"kv-heads", "N", "key and value heads (GQA)"},
    Help{"nope-dim", "N", "values of a head without RoPE"},
    Help{"rope-dim", "N", "values of a head with RoPE"},
    Help{"v-head-dim", "N", "values of a head's value"},
    Help{"hidden-size", "N", "width of the model"},
    Help{"layers", "N", "layers that run"},
    Help{"context", "N", "most tokens the run may hold"},
    Help{"prefill", "N", "synthetic tokens already cached at the start"},
    Help{"batch", "N", "sequences decoded together"},
    Help{"cache-dtype", "fp32|fp16|bf16|fp8|int8", "values of the cache"},
    Help{"weights-dtype", "stored|fp32|bf16|int8", "matrices of the weights"},
    Help{"backend", "cpu|cuda", "where to compute, see backends"},
    Help{"threads", "N", "threads; 0: one a core"},
    Help{"isa", "NAME", "instruction set of the CPU kernels; the best one by default"},
    Help{"seed", "N", "of random weights, synthetic input and sampling"},
    Help{"temperature", "X", "of sampling; 0: greedy"},
    Help{"top-k", "N", "most likely tokens to sample from; 0: all"},
    Help{"top-p", "X", "probability mass to sample from"},
};

}  // namespace

ExperimentOptions::ExperimentOptions(CLI::App& parser) {
  const std::string group = "Experiment";
  parser
      .add_option("--model", model_,
                  "a bundled model, see models (fairy-tales where it has the sizes asked for), or a directory as Hugging "
                  "Face writes it")
      ->type_name("NAME|DIR")
      ->group(group);
  parser.add_option("--preset", preset_, "shape of a published model, see presets")->type_name("NAME")->group(group);
  parser.add_option("--experiment", file_, "saved experiment (.mla.json)")->type_name("FILE")->group(group);
  settings_.reserve(setting_names().size());  // the parser keeps pointers to the values
  for (const std::string_view name : setting_names()) {
    if (name == "prompt") continue;  // an option of decode
    const auto known = std::find_if(kHelp.begin(), kHelp.end(), [&](const Help& h) { return h.name == name; });
    const Help help = known != kHelp.end() ? *known : Help{name, "VALUE", ""};
    Entry& entry = settings_.emplace_back(Entry{name, {}, nullptr});
    entry.option = parser.add_option("--" + std::string(name), entry.value, std::string(help.text));
    entry.option->type_name(std::string(help.value))->group(group);
  }
}

Result<SavedExperiment> ExperimentOptions::start() const {
  if (int(!model_.empty()) + int(!preset_.empty()) + int(!file_.empty()) > 1) {
    return Error{"--model, --preset, --experiment: only one of them can be where the experiment starts"};
  }
  if (!file_.empty()) {
    Result<SavedExperiment> saved = read_saved_experiment(file_);
    if (!saved) return Error{"--experiment " + saved.error().message};
    return saved;
  }
  const Result<Experiment> experiment = start_unsaved();
  if (!experiment) return experiment.error();
  return SavedExperiment{*experiment, {}, {}};
}

Result<Experiment> ExperimentOptions::start_unsaved() const {
  if (!preset_.empty()) {
    const Result<Preset> preset = find_preset(preset_);
    if (!preset) return Error{"--" + preset.error().message};
    return experiment_from(*preset);
  }
  if (model_.empty()) return experiment_of_model(std::string(kFairyTales));
  const Result<Experiment> experiment = experiment_of_model(model_);
  if (!experiment) return Error{"--model " + experiment.error().message};
  return experiment;
}

Result<SavedExperiment> ExperimentOptions::build_saved() const {
  Result<SavedExperiment> saved = start();
  if (!saved) return saved.error();
  std::vector<Setting> settings;
  for (const Entry& entry : settings_) {
    if (entry.option->count() > 0) settings.push_back({std::string(entry.name), entry.value});
  }
  Result<Experiment> experiment = apply_all(saved->experiment, settings);
  const bool bundled = model_.empty() && preset_.empty() && file_.empty();
  if (!experiment && bundled) experiment = apply_all(default_experiment(), settings);  // sizes that no trained model has
  if (!experiment) return experiment.error();
  if (const Status valid = validate(*experiment); !valid) return valid.error();
  saved->experiment = std::move(*experiment);
  return saved;
}

Result<Experiment> ExperimentOptions::build() const {
  Result<SavedExperiment> saved = build_saved();
  if (!saved) return saved.error();
  return std::move(saved->experiment);
}

void add_json_option(CLI::App& parser, std::string& target) {
  parser.add_option("--json", target, "write JSON to the file, or to standard output and nothing else there")
      ->type_name("FILE|-")
      ->check([](const std::string& value) {
        if (value == "-") return std::string();
        const Status writable = check_writable(value);
        return writable ? std::string() : writable.error().message;
      });
}

CLI::Option* add_output_option(CLI::App& parser, const std::string& name, std::string& path, const std::string& help) {
  return parser.add_option(name, path, help)->type_name("FILE")->check([](const std::string& value) {
    const Status writable = check_writable(value);
    return writable ? std::string() : writable.error().message;
  });
}

}  // namespace mla
