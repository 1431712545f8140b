#include <nlohmann/json.hpp>

#include "core/spec/experiment.h"
#include "core/spec/json_fields.h"
#include "core/spec/model_json.h"
#include "core/spec/presets.h"

namespace mla {

namespace {

constexpr const char* kFormat = "mla-explorer experiment";
constexpr int kVersion = 1;

/// What the file's fields are laid over: the preset that it names, or the default experiment.
Result<Experiment> starting_point(Fields& fields) {
  std::string name;
  fields.read("preset", name);
  if (name.empty()) return default_experiment();
  auto preset = find_preset(name);
  if (!preset) return Error{fields.where() + ": " + preset.error().message};
  auto experiment = experiment_from(*preset);
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

}  // namespace

std::string to_json(const Experiment& e) {
  const nlohmann::ordered_json json{{"format", kFormat},
                                    {"version", kVersion},
                                    {"model", e.model},
                                    {"preset", e.preset},
                                    {"spec", to_json(e.spec)},
                                    {"layers", e.layers},
                                    {"attention", name_of(e.path)},
                                    {"cache-dtype", name_of(e.cache_dtype)},
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
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

Result<Experiment> experiment_from_json(std::string_view text, std::string_view source) {
  const std::string where(source);
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error{where + ": is not JSON"};
  Fields fields(json, where);
  if (!json.is_object()) return fields.done().error();
  if (auto status = check_header(fields); !status) return status.error();
  auto experiment = starting_point(fields);
  if (!experiment) return experiment;
  read_run(fields, *experiment);
  if (const auto* object = fields.nested("spec")) {
    auto spec = model_from_json(*object, where + ": spec", experiment->spec);
    if (!spec) return spec.error();
    experiment->spec = *spec;
  }
  if (const Status status = fields.done(); !status) return status.error();
  if (const Status status = validate(*experiment); !status) return Error{where + ": " + status.error().message};
  return experiment;
}

}  // namespace mla
