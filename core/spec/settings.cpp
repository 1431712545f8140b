#include "core/spec/settings.h"

#include <algorithm>
#include <functional>
#include <string>

#include "core/spec/limits.h"
#include "core/spec/shape.h"
#include "core/spec/text.h"

namespace mla {

namespace {

/// One setting: how its text changes an experiment (an error is a bare rule) and how an experiment's value is written.
struct Row {
  std::string_view name;
  std::function<Status(Experiment&, std::string_view)> set;
  std::function<std::string(const Experiment&)> get;
};

Error not_whole(Range range) {
  return {"must be a whole number from " + std::to_string(range.low) + " to " + std::to_string(range.high)};
}

/// A plain number of the experiment.
Row number(std::string_view name, Range range, int Experiment::*field) {
  const auto set = [=](Experiment& e, std::string_view text) -> Status {
    const auto value = parse_number<std::int64_t>(text);
    if (!value || !range.holds(*value)) return not_whole(range);
    e.*field = static_cast<int>(*value);
    return {};
  };
  return {name, set, [=](const Experiment& e) { return std::to_string(e.*field); }};
}

/// A dimension, which others may follow.
Row dimension(std::string_view name, Range range, Status (*change)(ModelSpec&, int), int AttentionSpec::*field) {
  const auto set = [=](Experiment& e, std::string_view text) -> Status {
    const auto value = parse_number<std::int64_t>(text);
    if (!value || !range.holds(*value)) return not_whole(range);
    return change(e.spec, static_cast<int>(*value));
  };
  return {name, set, [=](const Experiment& e) { return std::to_string(e.spec.attention.*field); }};
}

/// The latent as trained; what the rank lens leaves of it is a setting of its own.
Row latent() {
  Row row = dimension("kv-lora-rank", limits::kv_lora_rank, set_kv_lora_rank, &AttentionSpec::kv_lora_rank);
  row.get = [](const Experiment& e) { return std::to_string(e.spec.attention.latent_dim()); };
  return row;
}

/// A text out of a fixed few; the empty one stands for "best" where it is among them.
Row choice(std::string_view name, std::vector<std::string_view> known, std::string Experiment::*field) {
  const auto set = [=](Experiment& e, std::string_view text) -> Status {
    if (std::find(known.begin(), known.end(), text) == known.end()) {
      std::string list;
      for (const auto one : known) {
        if (!one.empty()) list += (list.empty() ? "" : ", ") + std::string(one);
      }
      return Error{"is not known; there are " + list};
    }
    e.*field = text;
    return {};
  };
  return {name, set, [=](const Experiment& e) { return e.*field; }};
}

Status set_lens(Experiment& e, std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  const Range range{0, limits::hidden_size.high};
  if (!value || !range.holds(*value)) return not_whole(range);
  if (*value > 0 && e.model.empty()) return Error{"the rank lens looks at trained weights; --model opens some"};
  return set_lens_rank(e.spec, static_cast<int>(*value));
}

Status set_variant(Experiment& e, std::string_view text) {
  const auto variant = parse_variant(text);
  if (!variant) return variant.error();
  if (e.spec.block == BlockKind::toy) return Error{"the tutorial's block is mla only"};
  const bool was_mla = e.spec.attention.is_mla();
  e.spec = with_variant(e.spec, *variant);
  if (e.path == AttentionPath::uncached || was_mla == e.spec.attention.is_mla()) return {};
  e.path = was_mla ? AttentionPath::expanded : AttentionPath::absorbed;
  return {};
}

Status set_path(Experiment& e, std::string_view text) {
  const auto path = parse_path(text);
  if (!path) return path.error();
  const Variant variant = e.spec.attention.variant;
  const auto known = paths_of(variant);
  if (std::find(known.begin(), known.end(), *path) == known.end()) {
    return Error{"variant " + std::string(name_of(variant)) + " has no such path; it has uncached, expanded"};
  }
  e.path = *path;
  return {};
}

Status set_cache_dtype(Experiment& e, std::string_view text) {
  const auto dtype = parse_cache_dtype(text);
  if (!dtype) return dtype.error();
  e.cache_dtype = *dtype;
  return {};
}

Status set_weights_dtype(Experiment& e, std::string_view text) {
  const auto dtype = parse_weights_dtype(text);
  if (!dtype) return dtype.error();
  e.weights_dtype = *dtype;
  return {};
}

/// How many layers run; without a preset or model the random model has just as many.
Status set_layers(Experiment& e, std::string_view text) {
  const bool fixed = !e.preset.empty() || !e.model.empty();
  const Range range{limits::layers.low, fixed ? e.spec.num_hidden_layers : limits::layers.high};
  const auto value = parse_number<std::int64_t>(text);
  if (!value || !range.holds(*value)) return not_whole(range);
  e.layers = static_cast<int>(*value);
  if (!fixed) e.spec.num_hidden_layers = e.layers;
  return {};
}

Status set_seed(Experiment& e, std::string_view text) {
  const auto value = parse_number<std::uint64_t>(text);
  if (!value) return Error{"must be a whole number from 0 to 18446744073709551615"};
  e.seed = *value;
  return {};
}

Status set_temperature(Experiment& e, std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value || *value < 0 || *value > limits::temperature) {
    return Error{"must be a number from 0 to " + shortest(limits::temperature)};
  }
  e.sampling.temperature = *value;
  return {};
}

Status set_top_k(Experiment& e, std::string_view text) {
  const auto value = parse_number<std::int64_t>(text);
  if (!value || !limits::top_k.holds(*value)) return not_whole(limits::top_k);
  e.sampling.top_k = static_cast<int>(*value);
  return {};
}

Status set_top_p(Experiment& e, std::string_view text) {
  const auto value = parse_number<double>(text);
  if (!value || *value <= 0 || *value > 1) return Error{"must be a number above 0 and at most 1"};
  e.sampling.top_p = *value;
  return {};
}

Status set_prompt(Experiment& e, std::string_view text) {
  if (const auto at = invalid_utf8(text)) return Error{"must be UTF-8, which byte " + std::to_string(*at) + " is not"};
  e.prompt = text;
  return {};
}

using E = Experiment;
using A = AttentionSpec;

/// In an order in which several settings can be applied: what others follow comes before them.
const std::vector<Row>& rows() {
  static const std::vector<Row> table{
      {"variant", set_variant, [](const E& e) { return std::string(name_of(e.spec.attention.variant)); }},
      {"attention", set_path, [](const E& e) { return std::string(name_of(e.path)); }},
      dimension("hidden-size", limits::hidden_size, set_hidden_size, &A::hidden_size),
      dimension("heads", limits::heads, set_heads, &A::num_attention_heads),
      dimension("kv-heads", limits::heads, set_kv_heads, &A::num_key_value_heads),
      latent(),
      dimension("q-lora-rank", limits::q_lora_rank, set_q_lora_rank, &A::q_lora_rank),
      dimension("v-head-dim", limits::head_dim, set_v_head_dim, &A::v_head_dim),
      dimension("rope-dim", limits::rope_dim, set_rope_dim, &A::qk_rope_head_dim),
      dimension("nope-dim", limits::nope_dim, set_nope_dim, &A::qk_nope_head_dim),
      {"lens-rank", set_lens, [](const E& e) { return std::to_string(lens_rank(e.spec.attention)); }},
      {"layers", set_layers, [](const E& e) { return std::to_string(e.layers); }},
      number("context", limits::context, &E::context),
      number("prefill", {0, limits::context.high}, &E::prefill),
      number("batch", limits::batch, &E::batch),
      {"cache-dtype", set_cache_dtype, [](const E& e) { return std::string(name_of(e.cache_dtype)); }},
      {"weights-dtype", set_weights_dtype, [](const E& e) { return std::string(name_of(e.weights_dtype)); }},
      choice("backend", {"cpu", "cuda"}, &E::backend),
      number("threads", limits::threads, &E::threads),
      choice("isa", {"", "portable", "avx2", "avx512", "avx512bf16"}, &E::isa),
      {"seed", set_seed, [](const E& e) { return std::to_string(e.seed); }},
      {"temperature", set_temperature, [](const E& e) { return shortest(e.sampling.temperature); }},
      {"top-k", set_top_k, [](const E& e) { return std::to_string(e.sampling.top_k); }},
      {"top-p", set_top_p, [](const E& e) { return shortest(e.sampling.top_p); }},
      {"prompt", set_prompt, [](const E& e) { return e.prompt; }},
  };
  return table;
}

const Row* find_row(std::string_view name) {
  const auto found = std::find_if(rows().begin(), rows().end(), [&](const Row& row) { return row.name == name; });
  return found == rows().end() ? nullptr : &*found;
}

Error unknown(std::string_view name) { return {"setting " + printable(name) + " is not known"}; }

Error refusal(const Setting& setting, const std::string& rule) {
  return {"--" + setting.name + " " + printable(setting.value) + ": " + rule};
}

/// A checkpoint fixes its dimensions; an elastic one may run at a smaller latent, RoPE part and head count.
Status check_trained(const Experiment& before, const Experiment& after) {
  if (before.model.empty() || after.spec == before.spec) return {};
  const std::string name = "the checkpoint " + printable(before.model);
  if (!same_weights(before.spec, after.spec)) return Error{name + " fixes its dimensions"};
  if (const Status fits = validate(after.spec); !fits) return Error{name + ": " + fits.error().message};
  return {};
}

}  // namespace

const std::vector<std::string_view>& setting_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> list;
    for (const Row& row : rows()) list.push_back(row.name);
    return list;
  }();
  return names;
}

Result<Experiment> apply(const Experiment& experiment, const Setting& setting) {
  const Row* row = find_row(setting.name);
  if (!row) return unknown(setting.name);
  if (row->get(experiment) == setting.value) return experiment;
  Experiment changed = experiment;
  if (const Status status = row->set(changed, setting.value); !status) return refusal(setting, status.error().message);
  if (const Status held = check_trained(experiment, changed); !held) return refusal(setting, held.error().message);
  return changed;
}

Result<Experiment> apply_all(const Experiment& experiment, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (!find_row(setting.name)) return unknown(setting.name);
  }
  std::vector<Setting> ordered;  // the last of each name
  for (const std::string_view name : setting_names()) {
    const auto last = std::find_if(settings.rbegin(), settings.rend(), [&](const Setting& s) { return s.name == name; });
    if (last != settings.rend()) ordered.push_back(*last);
  }
  Experiment changed = experiment;
  for (const Setting& setting : ordered) {
    auto next = apply(changed, setting);
    if (!next) return next;
    changed = *next;
  }
  for (const Setting& setting : ordered) {
    const auto again = apply(changed, setting);
    if (again && *again == changed) continue;
    return refusal(setting, "the other settings given make it " + value_of(changed, setting.name));
  }
  return changed;
}

std::string value_of(const Experiment& experiment, std::string_view setting_name) {
  const Row* row = find_row(setting_name);
  return row ? row->get(experiment) : std::string();
}

Status recheck(const Experiment& experiment, std::string_view setting_name) {
  const Row* row = find_row(setting_name);
  if (!row) return unknown(setting_name);
  const std::string value = row->get(experiment);
  Experiment copy = experiment;
  if (const Status status = row->set(copy, value); !status)
    return refusal({std::string(setting_name), value}, status.error().message);
  return {};
}

}  // namespace mla
