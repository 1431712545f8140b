// The post-processor and the decoder of a tokenizer.json.

#include "core/model/config_fields.h"
#include "core/model/tokenizer_read.h"
#include "core/model/tokenizer_text.h"
#include "core/spec/text.h"

namespace mla {
namespace {

using nlohmann::json;

bool is_one_character(const std::string& text) { return !text.empty() && utf8_length(text[0]) == text.size(); }

/// The parts of a decoder, in their order: what acts on single tokens, Fuse, what acts on the whole text.
class DecoderReader {
 public:
  explicit DecoderReader(DecoderRules& rules) : rules_(rules) {}

  Status read(const std::string& where, const json& object) {
    if (!object.is_object()) return Error{where + ": not an object"};
    ConfigFields fields(where, object);
    const std::string type = fields.text("type");
    if (type == "Sequence") return read_parts(where, object);
    if (type == "Fuse") {
      fused_ = true;
    } else if (type == "Strip") {
      if (!fused_) fields.refuse("type", "it must come after Fuse");
      read_strip(fields);
    } else if (fused_ && (type == "ByteLevel" || type == "ByteFallback" || type == "Replace" || type == "Metaspace")) {
      fields.refuse("type", "it must come before Fuse");
    } else {
      read_token_rule(type, fields);
    }
    return fields.status();
  }

 private:
  Status read_parts(const std::string& where, const json& object) {
    const Result<const json*> list = read_list(where, object, "decoders");
    if (!list) return list.error();
    int index = 0;
    for (const json& part : **list) {
      if (Status status = read(where + ".decoders[" + std::to_string(index++) + "]", part); !status) return status;
    }
    return {};
  }

  void read_token_rule(const std::string& type, ConfigFields& fields) {
    if (type == "ByteLevel") {
      rules_.byte_level = true;
    } else if (type == "ByteFallback") {
      rules_.byte_fallback = true;
    } else if (type == "Replace") {
      read_replace(fields);
    } else if (type == "Metaspace") {
      rules_.replaced.emplace_back(fields.text("replacement"), " ");
      if (rules_.replaced.back().first.empty()) fields.refuse("replacement", "it must be a character");
      rules_.strip = " ";
      const std::string scheme = fields.text("prepend_scheme", "always");
      rules_.strip_start = scheme == "never" || !fields.flag("add_prefix_space", true) ? 0 : 1;
    } else {
      fields.refuse("type", "known are Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse and Strip");
    }
  }

  void read_replace(ConfigFields& fields) {
    const json* const pattern = fields.object("pattern");
    const bool plain = pattern && pattern->contains("String") && (*pattern)["String"].is_string();
    if (!plain || (*pattern)["String"].get_ref<const std::string&>().empty()) {
      return fields.refuse("pattern", "it must be a String that is not empty");
    }
    rules_.replaced.emplace_back((*pattern)["String"].get<std::string>(), fields.text("content"));
  }

  void read_strip(ConfigFields& fields) {
    rules_.strip = fields.text("content");
    rules_.strip_start = fields.count("start", 0, 0);
    rules_.strip_stop = fields.count("stop", 0, 0);
    if (!is_one_character(rules_.strip)) fields.refuse("content", "it must be one character");
  }

  DecoderRules& rules_;
  bool fused_ = false;
};

/// The ids that the template's special token of that name stands for.
Result<std::vector<int>> template_ids(const std::string& where, const json& object, const std::string& name,
                                      std::size_t tokens) {
  const json* const all = ConfigFields(where, object).object("special_tokens");
  const auto found = all ? all->find(name) : json::const_iterator();
  if (!all || found == all->end()) return Error{where + ": special_tokens lacks \"" + printable(name) + "\""};
  const std::string place = where + ".special_tokens." + printable(name);
  if (!found->is_object()) return Error{place + ": not an object"};
  const Result<const json*> list = read_list(place, *found, "ids");
  if (!list) return list.error();
  std::vector<int> ids;
  for (const json& id : **list) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= tokens) {
      return Error{place + ": ids holds " + printable(id.dump()) + "; it must be the id of a token"};
    }
    ids.push_back(id.get<int>());
  }
  return ids;
}

Status read_template(const std::string& where, const json& object, TokenizerData& data) {
  const Result<const json*> list = read_list(where, object, "single");
  if (!list) return list.error();
  std::vector<int> around[2];  // in front, behind
  bool seen = false;
  for (const json& part : **list) {
    const bool sequence = part.is_object() && part.contains("Sequence"),
               token = part.is_object() && part.contains("SpecialToken");
    const json* const named = sequence ? &part["Sequence"] : token ? &part["SpecialToken"] : nullptr;
    const Error fault{where + ": single has the part " + printable(part.dump()) +
                      "; it must be a SpecialToken, or the one Sequence A"};
    if (!named || !named->is_object() || !named->contains("id") || !(*named)["id"].is_string()) return fault;
    const auto& id = (*named)["id"].get_ref<const std::string&>();
    if (sequence) {
      if (seen || id != "A") return fault;
      seen = true;
      continue;
    }
    const Result<std::vector<int>> ids = template_ids(where, object, id, data.special.size());
    if (!ids) return ids.error();
    around[seen].insert(around[seen].end(), ids->begin(), ids->end());
  }
  if (!seen) return Error{where + ": single lacks the Sequence A"};
  data.prefix.insert(data.prefix.begin(), around[0].begin(), around[0].end());
  data.suffix.insert(data.suffix.end(), around[1].begin(), around[1].end());
  return {};
}

}  // namespace

Status read_decoder(const std::string& where, const json& object, DecoderRules& rules) {
  return DecoderReader(rules).read(where, object);
}

Status read_post_processor(const std::string& where, const json& object, TokenizerData& data) {
  if (!object.is_object()) return Error{where + ": not an object"};
  ConfigFields fields(where, object);
  const std::string type = fields.text("type");
  if (type == "TemplateProcessing") return read_template(where, object, data);
  if (type == "Sequence") {
    const Result<const json*> list = read_list(where, object, "processors");
    if (!list) return list.error();
    int index = 0;
    for (const json& part : **list) {
      if (Status status = read_post_processor(where + ".processors[" + std::to_string(index++) + "]", part, data); !status) {
        return status;
      }
    }
    return {};
  }
  if (type != "ByteLevel")
    fields.refuse("type", "known are Sequence, TemplateProcessing and ByteLevel");  // ids stay as they are
  return fields.status();
}

}  // namespace mla
