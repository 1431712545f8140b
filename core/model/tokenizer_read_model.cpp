// The "model" of a tokenizer.json: vocabulary and merges.

#include <algorithm>

#include "core/model/config_fields.h"
#include "core/model/tokenizer_read.h"
#include "core/model/tokenizer_text.h"
#include "core/spec/text.h"

namespace mla {
namespace {

using nlohmann::json;

std::string in_quotes(std::string_view text) {
  std::string quoted = "\"";
  quoted += printable(text);
  return quoted += '"';
}

std::string shown(const json& value) { return printable(value.dump(-1, ' ', false, json::error_handler_t::replace)); }

/// Reads one model; the vocabulary first, since all else names its tokens.
class ModelReader {
 public:
  ModelReader(const std::string& where, const json& object, BpeModel& model)
      : where_(where), object_(object), fields_(where, object), model_(model) {}

  Result<std::vector<std::string>> read() {
    if (Status status = read_settings(); !status) return status.error();
    if (Status status = read_vocabulary(); !status) return status.error();
    find_bytes();
    if (Status status = read_unk(); !status) return status.error();
    if (Status status = read_merges(); !status) return status.error();
    keep_vocabulary();
    return std::move(tokens_);
  }

 private:
  Error fail(const std::string& what) const { return {where_ + ": " + what}; }

  Status read_settings() {
    const std::string type = fields_.text("type", "BPE");
    if (type != "BPE") fields_.refuse("type", "only BPE is read");
    if (fields_.has("dropout") && fields_.number("dropout", 0, true) != 0)
      fields_.refuse("dropout", "it must be absent or 0");
    for (const char* const affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!fields_.text(affix, "").empty()) fields_.refuse(affix, "it must be absent or empty");
    }
    model_.byte_fallback = fields_.flag("byte_fallback", false);
    model_.fuse_unk = fields_.flag("fuse_unk", false);
    model_.ignore_merges = fields_.flag("ignore_merges", false);
    return fields_.status();
  }

  Status read_vocabulary() {
    const json* const vocabulary = fields_.object("vocab");
    if (!fields_.status()) return fields_.status();
    if (!vocabulary) return fail("vocab is missing");
    if (vocabulary->size() > std::size_t(max_tokens))
      return fail("vocab has more than " + std::to_string(max_tokens) + " tokens");
    std::vector<const std::string*> names;  // by id
    for (const auto& [token, value] : vocabulary->items()) {
      if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= std::uint64_t(max_tokens)) {
        return fail("vocab gives " + in_quotes(token) + " the id " + shown(value) +
                    "; it must be a whole number from 0 to " + std::to_string(max_tokens - 1));
      }
      const auto id = value.get<std::size_t>();
      const auto known = ids_.emplace(token, static_cast<int>(id)).first;
      if (id >= tokens_.size()) {
        tokens_.resize(id + 1);
        names.resize(id + 1);
      }
      if (names[id])
        return fail("vocab gives " + in_quotes(*names[id]) + " and " + in_quotes(token) + " the id " + shown(value));
      names[id] = &known->first;
      tokens_[id] = token;
    }
    return {};
  }

  void find_bytes() {
    model_.byte_ids.fill(-1);
    if (!model_.byte_level && !model_.byte_fallback) return;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const auto value = static_cast<unsigned char>(byte);
      const auto found = ids_.find(model_.byte_level ? utf8_of(byte_level_character(value)) : fallback_token(value));
      if (found != ids_.end()) model_.byte_ids[byte] = found->second;
    }
  }

  bool has_all_bytes() const {
    return std::none_of(model_.byte_ids.begin(), model_.byte_ids.end(), [](int id) { return id < 0; });
  }

  Status read_unk() {
    const std::string unk = fields_.text("unk_token", "");
    if (!fields_.status()) return fields_.status();
    if (model_.byte_level && model_.byte_fallback && !has_all_bytes()) {
      fields_.refuse("byte_fallback", "a byte-level vocabulary must have every byte instead");
      return fields_.status();
    }
    if (unk.empty() || (model_.byte_level && has_all_bytes())) return {};
    const auto found = ids_.find(unk);
    if (found == ids_.end()) {
      fields_.refuse("unk_token", "it must be a token of the vocabulary");
    } else {
      model_.unk = found->second;
    }
    return fields_.status();
  }

  Status read_merges() {
    const Result<const json*> list = read_list(where_, object_, "merges");
    if (!list) return list.error();
    model_.merges.reserve((*list)->size());
    std::uint32_t rank = 0;
    std::string left, right;
    for (const json& merge : **list) {
      if (merge.is_string() && merge.get_ref<const std::string&>().starts_with("#version")) continue;
      if (!read_pair(merge, left, right)) {
        return fail("merge " + std::to_string(rank) + " is " + shown(merge) + "; it must be two tokens");
      }
      if (Status status = add_merge(rank++, left, right); !status) return status;
    }
    return {};
  }

  /// "a b" or ["a", "b"].
  static bool read_pair(const json& merge, std::string& left, std::string& right) {
    if (merge.is_array()) {
      if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) return false;
      left = merge[0].get<std::string>();
      right = merge[1].get<std::string>();
      return true;
    }
    if (!merge.is_string()) return false;
    const auto& text = merge.get_ref<const std::string&>();
    const std::size_t space = text.find(' ');
    if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) return false;
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
  }

  Status add_merge(std::uint32_t rank, const std::string& left, const std::string& right) {
    int ids[3];
    const std::string* const texts[]{&left, &right, &joined_};
    joined_ = left + right;
    for (int i = 0; i < 3; ++i) {
      const auto found = ids_.find(*texts[i]);
      if (found == ids_.end()) {
        return fail("merge " + std::to_string(rank) + " (" + in_quotes(left) + ", " + in_quotes(right) + ") needs " +
                    in_quotes(*texts[i]) + ", which the vocabulary lacks");
      }
      ids[i] = found->second;
    }
    model_.merges.insert_or_assign(BpeModel::pair_of(ids[0], ids[1]), BpeMerge{rank, ids[2]});
    return {};
  }

  void keep_vocabulary() {
    if (!model_.byte_level) {
      model_.vocabulary = std::move(ids_);
      return;
    }
    std::string bytes;
    for (const auto& [token, id] : ids_) {
      if (byte_level_bytes(token, bytes)) model_.vocabulary.emplace(bytes, id);
    }
  }

  std::string where_;
  const json& object_;
  ConfigFields fields_;
  BpeModel& model_;
  Vocabulary ids_;                   // by the text in the file
  std::vector<std::string> tokens_;  // by id
  std::string joined_;
};

}  // namespace

Result<std::vector<std::string>> read_bpe_model(const std::string& where, const json& object, BpeModel& model) {
  return ModelReader(where, object, model).read();
}

}  // namespace mla
