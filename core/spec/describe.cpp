#include <map>

#include "core/spec/experiment.h"
#include "core/spec/presets.h"
#include "core/spec/text.h"

namespace mla {

namespace {

void join(std::string& line, const std::string& part) { line += (line.empty() ? "" : " · ") + part; }

/// What a setting's value is called in a difference; settings that are not here go by their own name.
std::string label_of(std::string_view setting) {
  static const std::map<std::string_view, std::string> labels{{"attention", ""},
                                                              {"variant", ""},
                                                              {"cache-dtype", ""},
                                                              {"backend", ""},
                                                              {"hidden-size", "d "},
                                                              {"kv-heads", "groups "},
                                                              {"kv-lora-rank", "c "},
                                                              {"lens-rank", "lens rank "},
                                                              {"q-lora-rank", "query latent "},
                                                              {"v-head-dim", "v "},
                                                              {"rope-dim", "r "},
                                                              {"nope-dim", "n "}};
  const auto found = labels.find(setting);
  return found != labels.end() ? found->second : std::string(setting) + " ";
}

std::string shown(const Experiment& e, std::string_view setting) {
  if (setting == "variant") return title_of(e.spec.attention);
  const std::string value = value_of(e, setting);
  if (setting == "prompt") return "\"" + printable(value) + "\"";
  return value.empty() ? "best" : value;
}

/// The base with the model or preset of the other, so that what remains is what was set on top of it.
Experiment on_model_of(const Experiment& base, const Experiment& other) {
  Experiment moved = base;
  moved.model = other.model;
  moved.preset = other.preset;
  const auto preset = find_preset(other.preset);
  const Experiment fresh = preset ? experiment_from(*preset) : default_experiment();
  moved.spec = other.model.empty() ? fresh.spec : other.spec;
  moved.path = fresh.path;
  moved.layers = fresh.layers;
  return moved;
}

std::string model_of(const Experiment& e) {
  return !e.model.empty() ? e.model : !e.preset.empty() ? e.preset : "random block";
}

}  // namespace

std::string describe(const Experiment& e) {
  const AttentionSpec& a = e.spec.attention;
  std::string line = title_of(a) + " " + std::string(name_of(e.path));
  if (a.is_mla()) join(line, "c " + std::to_string(a.kv_lora_rank));
  if (a.trained_kv_lora_rank > 0) line.append(" of ").append(std::to_string(a.trained_kv_lora_rank));
  if (a.joint_rank > 0) join(line, "rank " + std::to_string(a.joint_rank) + " of " + std::to_string(full_lens_rank(a)));
  join(line, std::to_string(a.num_attention_heads) + (a.num_attention_heads == 1 ? " head" : " heads"));
  const bool rope = a.qk_rope_head_dim > 0, nope = a.qk_nope_head_dim > 0;
  const std::string parts = (nope ? "n " + std::to_string(a.qk_nope_head_dim) : "") + (nope && rope ? " + " : "") +
                            (rope ? "r " + std::to_string(a.qk_rope_head_dim) : "");
  join(line, parts);
  join(line, std::string(name_of(e.cache_dtype)));
  if (!e.model.empty() && e.layers < e.spec.num_hidden_layers) {
    join(line,
         "the first " + std::to_string(e.layers) + " of " + std::to_string(e.spec.num_hidden_layers) + " layers loaded");
  }
  return line;
}

std::string describe_difference(const Experiment& base, const Experiment& other) {
  std::string line;
  Experiment reached = base;
  if (base.model != other.model || base.preset != other.preset) {
    join(line, model_of(base) + " → " + model_of(other));
    reached = on_model_of(base, other);
  }
  // Each change is made in turn, so that what only follows from one before it is not told.
  for (const std::string_view name : setting_names()) {
    const std::string value = value_of(other, name);
    if (value_of(reached, name) == value) continue;
    join(line, label_of(name) + shown(reached, name) + " → " + shown(other, name));
    if (auto next = apply(reached, {std::string(name), value})) reached = *next;
  }
  if (line.empty() && base != other) line = "another shape outside the settings";
  return line;
}

}  // namespace mla
