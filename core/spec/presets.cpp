#include "core/spec/presets.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "core/spec/json_fields.h"
#include "core/spec/model_json.h"

namespace mla {

extern const char presets_json[];

namespace {

/// Presets run attention only, over a random byte vocabulary, unless they say otherwise.
ModelSpec plain_start() {
  ModelSpec spec;
  spec.block = BlockKind::attention;
  spec.intermediate_size = 0;
  return spec;
}

Result<Preset> preset_from_json(const nlohmann::json& object) {
  Fields fields(object, "presets.json");
  Preset preset;
  fields.read("name", preset.name);
  fields.read("title", preset.title);
  fields.read("note", preset.note);
  if (const auto* shape = fields.nested("spec")) {
    auto spec = model_from_json(*shape, "presets.json: " + preset.name, plain_start());
    if (!spec) return spec.error();
    preset.spec = *spec;
  }
  if (auto status = fields.done(); !status) return status.error();
  if (auto status = validate(preset.spec); !status)
    return Error{"presets.json: " + preset.name + ": " + status.error().message};
  return preset;
}

/// The file is part of the program, so that a mistake in it is a bug and not an error to recover from.
std::vector<Preset> parse_presets() {
  std::vector<Preset> list;
  for (const auto& object : nlohmann::json::parse(presets_json)) {
    auto preset = preset_from_json(object);
    if (!preset) {
      std::fprintf(stderr, "%s\n", preset.error().message.c_str());
      std::abort();
    }
    list.push_back(*preset);
  }
  return list;
}

}  // namespace

const std::vector<Preset>& presets() {
  static const std::vector<Preset> list = parse_presets();
  return list;
}

Result<Preset> find_preset(std::string_view name) {
  const auto found =
      std::find_if(presets().begin(), presets().end(), [&](const Preset& preset) { return preset.name == name; });
  if (found != presets().end()) return *found;
  std::string known;
  for (const Preset& preset : presets()) known += (known.empty() ? "" : ", ") + preset.name;
  return Error{"preset " + printable(name) + " is not known; there are " + known};
}

Experiment experiment_from(const Preset& preset) {
  Experiment experiment = default_experiment();
  experiment.preset = preset.name;
  experiment.spec = preset.spec;
  experiment.layers = 1;
  experiment.path = preset.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded;
  experiment.context = std::min(4096, preset.spec.max_position_embeddings);
  return experiment;
}

}  // namespace mla
