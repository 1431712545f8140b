#include "core/spec/describe.h"

#include <map>
#include <vector>

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
                                                              {"weights-dtype", "weights "},
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
  if (!other.model.empty()) {
    moved.spec = other.spec;
    moved.path = other.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded;
    moved.layers = other.spec.num_hidden_layers;
    return moved;
  }
  const auto preset = find_preset(other.preset);
  const Experiment fresh = preset ? experiment_from(*preset) : default_experiment();
  moved.spec = fresh.spec;
  moved.path = fresh.path;
  moved.layers = fresh.layers;
  return moved;
}

std::string model_of(const Experiment& e) {
  return !e.model.empty() ? e.model : !e.preset.empty() ? e.preset : "random block";
}

/// One setting that differs, as a person reads it; the label ends in a blank unless it is empty.
struct Change {
  std::string label, before, after;
  std::string own;  ///< of the base itself, where `before` is what its change of model made of it
};

constexpr const char* another_shape = "another shape outside the settings";

std::vector<Change> changes_between(const Experiment& base, const Experiment& other) {
  std::vector<Change> changes;
  Experiment reached = base;
  if (base.model != other.model || base.preset != other.preset) {
    changes.push_back({"", model_of(base), model_of(other), model_of(base)});
    reached = on_model_of(base, other);
  }
  // Each change is made in turn, so that what only follows from one before it is not told.
  for (const std::string_view name : setting_names()) {
    const std::string value = value_of(other, name);
    if (value_of(reached, name) == value) continue;
    changes.push_back({label_of(name), shown(reached, name), shown(other, name), shown(base, name)});
    if (auto next = apply(reached, {std::string(name), value})) reached = *next;
  }
  return changes;
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
  if (e.weights_dtype != WeightsDtype::stored) join(line, "weights " + std::string(name_of(e.weights_dtype)));
  if (!e.model.empty() && e.layers < e.spec.num_hidden_layers) {
    join(line,
         "the first " + std::to_string(e.layers) + " of " + std::to_string(e.spec.num_hidden_layers) + " layers loaded");
  }
  return line;
}

std::string describe_difference(const Experiment& base, const Experiment& other) {
  std::string line;
  for (const Change& change : changes_between(base, other)) join(line, change.label + change.before + " → " + change.after);
  return line.empty() && base != other ? another_shape : line;
}

std::pair<std::string, std::string> describe_apart(const Experiment& first, const Experiment& second) {
  std::pair<std::string, std::string> apart;
  for (const Change& change : changes_between(first, second)) {
    if (change.own == change.after) continue;
    join(apart.first, change.label + change.own);
    join(apart.second, change.label + change.after);
  }
  if (apart.first.empty() && first != second) apart = {"one shape", another_shape};
  return apart;
}

}  // namespace mla
