// The normalizer and the pre-tokenizer of a tokenizer.json.

#include "core/model/config_fields.h"
#include "core/model/tokenizer_read.h"

namespace mla {
namespace {

using nlohmann::json;

// Where ByteLevel cuts unless told not to: GPT-2's expression.
constexpr const char* gpt2_expression = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

/// {"String": …} or {"Regex": …}.
Result<Pattern> read_pattern(const std::string& where, ConfigFields& fields) {
  const json* const object = fields.object("pattern");
  if (!fields.status()) return fields.status().error();
  if (!object) return Error{where + ": pattern is missing"};
  ConfigFields pattern(where + ": pattern", *object);
  if (pattern.has("String") == pattern.has("Regex")) return Error{where + ": pattern must be a String or a Regex"};
  const char* const kind = pattern.has("String") ? "String" : "Regex";
  const std::string text = pattern.text(kind);
  if (!pattern.status()) return pattern.status().error();
  if (text.empty()) return Error{where + ": pattern." + kind + " is empty"};
  if (pattern.has("String")) return Pattern::literal(text);
  const Result<Pattern> compiled = Pattern::expression(text);
  if (!compiled) pattern.refuse("Regex", compiled.error().message);
  if (!pattern.status()) return pattern.status().error();
  return *compiled;
}

/// Calls `read` for every part of a Sequence.
template <class Read>
Status read_sequence(const std::string& where, const json& object, const char* name, Read read) {
  const Result<const json*> list = read_list(where, object, name);
  if (!list) return list.error();
  int index = 0;
  for (const json& part : **list) {
    if (Status status = read(where + "." + name + "[" + std::to_string(index++) + "]", part); !status) return status;
  }
  return {};
}

Status read_split(const std::string& where, ConfigFields& fields, std::vector<PreTokenizerStep>& steps) {
  constexpr std::pair<const char*, SplitBehavior> behaviors[]{{"Removed", SplitBehavior::removed},
                                                              {"Isolated", SplitBehavior::isolated},
                                                              {"MergedWithPrevious", SplitBehavior::merged_with_previous},
                                                              {"MergedWithNext", SplitBehavior::merged_with_next},
                                                              {"Contiguous", SplitBehavior::contiguous}};
  const std::string name = fields.text("behavior");
  const bool invert = fields.flag("invert", false);
  const Result<Pattern> pattern = read_pattern(where, fields);
  if (!fields.status()) return fields.status();
  if (!pattern) return pattern.error();
  for (const auto& [known, behavior] : behaviors) {
    if (name != known) continue;
    steps.emplace_back(SplitStep{*pattern, behavior, invert});
    return {};
  }
  fields.refuse("behavior", "known are Removed, Isolated, MergedWithPrevious, MergedWithNext and Contiguous");
  return fields.status();
}

/// A step that cuts by an expression of ours.
Status add_split(ConfigFields& fields, const char* expression, SplitBehavior behavior,
                 std::vector<PreTokenizerStep>& steps) {
  const Result<Pattern> pattern = Pattern::expression(expression);
  if (!pattern) fields.refuse("type", pattern.error().message);
  if (!fields.status()) return fields.status();
  steps.emplace_back(SplitStep{*pattern, behavior, false});
  return {};
}

Status read_metaspace(ConfigFields& fields, std::vector<PreTokenizerStep>& steps) {
  constexpr std::pair<const char*, PrependScheme> schemes[]{
      {"never", PrependScheme::never}, {"first", PrependScheme::first}, {"always", PrependScheme::always}};
  MetaspaceStep step{fields.text("replacement"), {}, fields.flag("split", true)};
  const std::string scheme = fields.text("prepend_scheme", fields.flag("add_prefix_space", true) ? "always" : "never");
  if (step.mark.empty()) fields.refuse("replacement", "it must be a character");
  for (const auto& [name, value] : schemes) {
    if (scheme != name) continue;
    step.scheme = value;
    steps.emplace_back(std::move(step));
    return fields.status();
  }
  fields.refuse("prepend_scheme", "known are never, first and always");
  return fields.status();
}

Status read_byte_level(ConfigFields& fields, std::vector<PreTokenizerStep>& steps, bool& byte_level) {
  byte_level = true;
  if (fields.flag("add_prefix_space", true)) steps.emplace_back(PrefixSpaceStep{});
  const bool cuts = fields.flag("use_regex", true);
  if (!fields.status() || !cuts) return fields.status();
  return add_split(fields, gpt2_expression, SplitBehavior::isolated, steps);
}

}  // namespace

Status read_normalizer(const std::string& where, const json& object, std::vector<NormalizerStep>& steps) {
  if (!object.is_object()) return Error{where + ": not an object"};
  ConfigFields fields(where, object);
  const std::string type = fields.text("type");
  if (type == "Sequence") {
    return read_sequence(where, object, "normalizers",
                         [&](const std::string& part, const json& value) { return read_normalizer(part, value, steps); });
  }
  if (type == "Prepend") {
    steps.emplace_back(PrependStep{fields.text("prepend")});
  } else if (type == "Replace") {
    const Result<Pattern> pattern = read_pattern(where, fields);
    if (!pattern) return pattern.error();
    steps.emplace_back(ReplaceStep{*pattern, fields.text("content")});
  } else {
    fields.refuse("type", "known are Sequence, Prepend and Replace");
  }
  return fields.status();
}

Status read_pre_tokenizer(const std::string& where, const json& object, std::vector<PreTokenizerStep>& steps,
                          bool& byte_level) {
  if (!object.is_object()) return Error{where + ": not an object"};
  if (byte_level) return Error{where + ": comes after ByteLevel, which must be the last"};
  ConfigFields fields(where, object);
  const std::string type = fields.text("type");
  if (type == "Sequence") {
    return read_sequence(where, object, "pretokenizers", [&](const std::string& part, const json& value) {
      return read_pre_tokenizer(part, value, steps, byte_level);
    });
  }
  if (type == "Split") return read_split(where, fields, steps);
  if (type == "Metaspace") return read_metaspace(fields, steps);
  if (type == "ByteLevel") return read_byte_level(fields, steps, byte_level);
  if (type == "Digits") {
    const bool single = fields.flag("individual_digits", false);
    return add_split(fields, "\\p{N}", single ? SplitBehavior::isolated : SplitBehavior::contiguous, steps);
  }
  fields.refuse("type", "known are Sequence, Split, Digits, Metaspace and ByteLevel");
  return fields.status();
}

}  // namespace mla
