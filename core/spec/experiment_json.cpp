#include <nlohmann/json.hpp>

#include "core/spec/experiment.h"
#include "core/spec/json_fields.h"
#include "core/spec/model_json.h"
#include "core/spec/presets.h"
#include "core/spec/saved_experiment.h"

namespace mla {

namespace {

constexpr const char* kFormat = "mla-explorer experiment";
constexpr int kVersion = 1;

/// What the file's fields are laid over: the model or preset that it names, or the default experiment.
Result<Experiment> starting_point(Fields& fields, const ModelLookup& of_model) {
  std::string model, name;
  fields.read("model", model);
  fields.read("preset", name);
  const Result<Preset> preset = name.empty() ? Preset{} : find_preset(name);
  if (!preset) return Error{fields.where() + ": " + preset.error().message};
  if (model.empty() || !of_model) return name.empty() ? default_experiment() : experiment_from(*preset);
  Result<Experiment> experiment = of_model(model);
  if (!experiment && fields.nested("spec")) return default_experiment();  // it can be shown, if not run
  if (!experiment) return Error{fields.where() + ": model " + experiment.error().message};
  experiment->preset = name;
  return experiment;
}

Status check_header(Fields& fields) {
  std::string format;
  int version = 0;
  fields.read("format", format);
  fields.read("version", version);
  if (format != kFormat) {
    return Error{fields.where() + ": not an experiment file, \"format\" is " + printable(format) + ", not \"" + kFormat +
                 "\""};
  }
  if (version == kVersion) return {};
  return Error{fields.where() + ": \"version\" is " + std::to_string(version) + ": this program reads version 1"};
}

void read_run(Fields& fields, Experiment& e) {
  fields.read("model", e.model);
  fields.read("layers", e.layers);
  fields.read_name("attention", e.path, parse_path);
  fields.read_name("cache-dtype", e.cache_dtype, parse_cache_dtype);
  fields.read_name("weights-dtype", e.weights_dtype, parse_weights_dtype);
  fields.read("context", e.context);
  fields.read("prefill", e.prefill);
  fields.read("batch", e.batch);
  fields.read("backend", e.backend);
  fields.read("threads", e.threads);
  fields.read("isa", e.isa);
  fields.read("seed", e.seed);
  fields.read("temperature", e.sampling.temperature);
  fields.read("top-k", e.sampling.top_k);
  fields.read("top-p", e.sampling.top_p);
  fields.read("prompt", e.prompt);
}

/// The fields of one experiment, less those that nobody knows.
Result<Experiment> read_experiment(Fields& fields, const ModelLookup& of_model) {
  if (auto status = check_header(fields); !status) return status.error();
  auto experiment = starting_point(fields, of_model);
  if (!experiment) return experiment;
  read_run(fields, *experiment);
  if (const auto* object = fields.nested("spec")) {
    auto spec = model_from_json(*object, fields.where() + ": spec", experiment->spec);
    if (!spec) return spec.error();
    experiment->spec = *spec;
  }
  return experiment;
}

Result<Experiment> checked(Result<Experiment> experiment, const Fields& fields) {
  if (!experiment) return experiment;
  if (const Status status = fields.done(); !status) return status.error();
  if (const Status status = validate(*experiment); !status) return Error{fields.where() + ": " + status.error().message};
  return experiment;
}

Status read_pinned(Fields& fields, const ModelLookup& of_model, std::vector<Experiment>& pinned) {
  const nlohmann::json* list = fields.nested("pinned");
  if (!list) return {};
  if (!list->is_array()) return Error{fields.where() + ": \"pinned\": must be a list of experiments"};
  for (const nlohmann::json& each : *list) {
    const std::string where = fields.where() + ": pinned[" + std::to_string(pinned.size()) + "]";
    Fields inner(each, where);
    if (!each.is_object()) return inner.done();
    const Result<Experiment> experiment = checked(read_experiment(inner, of_model), inner);
    if (!experiment) return experiment.error();
    pinned.push_back(*experiment);
  }
  return {};
}

Status read_views(Fields& fields, std::map<std::string, ViewState>& views) {
  const nlohmann::json* all = fields.nested("views");
  if (!all) return {};
  const std::string where = fields.where() + ": views";
  if (!all->is_object()) return Fields(*all, where).done();
  for (const auto& [view, options] : all->items()) {
    const std::string inner = where + ": " + printable(view);
    if (!options.is_object()) return Fields(options, inner).done();
    for (const auto& [option, choice] : options.items()) {
      if (!choice.is_string()) return Error{inner + ": \"" + printable(option) + "\": must be text"};
      views[view][option] = choice.get<std::string>();
    }
  }
  return {};
}

nlohmann::ordered_json json_of(const Experiment& e) {
  return {{"format", kFormat},
          {"version", kVersion},
          {"model", e.model},
          {"preset", e.preset},
          {"spec", to_json(e.spec)},
          {"layers", e.layers},
          {"attention", name_of(e.path)},
          {"cache-dtype", name_of(e.cache_dtype)},
          {"weights-dtype", name_of(e.weights_dtype)},
          {"context", e.context},
          {"prefill", e.prefill},
          {"batch", e.batch},
          {"backend", e.backend},
          {"threads", e.threads},
          {"isa", e.isa},
          {"seed", e.seed},
          {"temperature", e.sampling.temperature},
          {"top-k", e.sampling.top_k},
          {"top-p", e.sampling.top_p},
          {"prompt", e.prompt}};
}

std::string written(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_json(const Experiment& experiment) { return written(json_of(experiment)); }

std::string to_json(const SavedExperiment& saved) {
  nlohmann::ordered_json json = json_of(saved.experiment);
  for (const Experiment& pinned : saved.pinned) json["pinned"].push_back(json_of(pinned));
  for (const auto& [view, state] : saved.views)
    if (!state.empty()) json["views"][view] = state;
  return written(json);
}

Result<SavedExperiment> saved_experiment_from_json(std::string_view text, std::string_view source,
                                                   const ModelLookup& of_model) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error{std::string(source) + ": is not JSON"};
  Fields fields(json, std::string(source));
  if (!json.is_object()) return fields.done().error();
  SavedExperiment saved;
  Result<Experiment> experiment = read_experiment(fields, of_model);
  if (!experiment) return experiment.error();
  if (const Status status = read_pinned(fields, of_model, saved.pinned); !status) return status.error();
  if (const Status status = read_views(fields, saved.views); !status) return status.error();
  experiment = checked(std::move(experiment), fields);
  if (!experiment) return experiment.error();
  saved.experiment = std::move(*experiment);
  return saved;
}

Result<Experiment> experiment_from_json(std::string_view text, std::string_view source) {
  Result<SavedExperiment> saved = saved_experiment_from_json(text, source);
  if (!saved) return saved.error();
  return std::move(saved->experiment);
}

}  // namespace mla
