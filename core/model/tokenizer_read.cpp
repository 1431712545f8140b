#include "core/model/tokenizer_read.h"

#include <unordered_set>

#include "core/io/strict_json.h"
#include "core/model/config_fields.h"
#include "core/model/tokenizer_text.h"
#include "core/spec/text.h"

namespace mla {
namespace {

using nlohmann::json;

/// The expression of a character that touches a single_word token.
constexpr const char* word_expression = "[\\p{L}\\p{Nl}\\p{M}\\p{Nd}\\p{Pc}\\x{200c}\\x{200d}]";

/// The bytes of a token of the model.
std::string piece_of(const std::string& token, const DecoderRules& rules) {
  std::string bytes;
  if (rules.byte_level) return byte_level_bytes(token, bytes) ? bytes : token;
  std::string text = token;
  for (const auto& [from, to] : rules.replaced) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
  }
  const int byte = rules.byte_fallback ? fallback_byte(text) : -1;
  return byte < 0 ? text : std::string(1, static_cast<char>(byte));
}

/// Reads the file's parts in the order in which they need each other.
class TokenizerReader {
 public:
  TokenizerReader(const std::string& source, const json& object)
      : source_(source), object_(object), fields_(source, object), data_(std::make_shared<TokenizerData>()) {}

  Result<std::shared_ptr<const TokenizerData>> read() {
    for (const auto step : {&TokenizerReader::check_rest, &TokenizerReader::read_steps, &TokenizerReader::read_model,
                            &TokenizerReader::read_added, &TokenizerReader::read_post}) {
      if (Status status = (this->*step)(); !status) return status.error();
    }
    return std::shared_ptr<const TokenizerData>(data_);
  }

 private:
  Status check_rest() {
    for (const char* const name : {"truncation", "padding"}) {
      if (fields_.has(name)) fields_.refuse(name, "it must be null: texts are taken whole");
    }
    return fields_.status();
  }

  Status read_steps() {
    bool& byte_level = data_->model.byte_level;
    if (fields_.has("normalizer")) {
      if (Status s = read_normalizer(source_ + ": normalizer", object_["normalizer"], data_->normalizer); !s) return s;
    }
    if (fields_.has("pre_tokenizer")) {
      Status s = read_pre_tokenizer(source_ + ": pre_tokenizer", object_["pre_tokenizer"], data_->pre_tokenizer, byte_level);
      if (!s) return s;
    }
    if (!fields_.has("decoder")) return Error{source_ + ": decoder is missing"};
    if (Status s = read_decoder(source_ + ": decoder", object_["decoder"], data_->decoder); !s) return s;
    if (byte_level == data_->decoder.byte_level) return {};
    return Error{source_ + ": ByteLevel must be in both the pre_tokenizer and the decoder, or in neither"};
  }

  Status read_model() {
    const json* const model = fields_.object("model");
    if (!fields_.status()) return fields_.status();
    if (!model) return Error{source_ + ": model is missing"};
    Result<std::vector<std::string>> tokens = read_bpe_model(source_ + ": model", *model, data_->model);
    if (!tokens) return tokens.error();
    tokens_ = std::move(*tokens);
    return {};
  }

  Status read_added() {
    std::vector<AddedToken> added;
    if (fields_.has("added_tokens")) {
      const Result<const json*> list = read_list(source_, object_, "added_tokens");
      if (!list) return list.error();
      for (const json& value : **list) {
        const std::string where = source_ + ": added_tokens[" + std::to_string(added.size()) + "]";
        Result<AddedToken> token = read_added_token(where, value);
        if (!token) return token.error();
        added.push_back(std::move(*token));
      }
    }
    for (const AddedToken& token : added) {
      if (Status status = add(token); !status) return status;
    }
    make_pieces(added);
    return {};
  }

  Result<AddedToken> read_added_token(const std::string& where, const json& value) {
    if (!value.is_object()) return Error{where + ": not an object"};
    ConfigFields fields(where, value);
    AddedToken token;
    if (!fields.has("id")) return Error{where + ": id is missing"};
    token.id = fields.count("id", {}, 0);
    token.content = fields.text("content");
    token.single_word = fields.flag("single_word", false);
    token.lstrip = fields.flag("lstrip", false);
    token.rstrip = fields.flag("rstrip", false);
    token.special = fields.flag("special", false);
    token.normalized = fields.flag("normalized", !token.special);
    if (token.id >= max_tokens) fields.refuse("id", "it must be below " + std::to_string(max_tokens));
    if (fields.status() && token.content.empty()) fields.refuse("content", "it must not be empty");
    if (fields.status() && !given_.insert(token.content).second) fields.refuse("content", "another one has it");
    if (!fields.status()) return fields.status().error();
    const auto id = static_cast<std::size_t>(token.id);
    if (id >= tokens_.size()) tokens_.resize(id + 1);
    if (tokens_[id].empty()) tokens_[id] = token.content;
    if (tokens_[id] != token.content) fields.refuse("id", "it belongs to \"" + printable(tokens_[id]) + "\"");
    if (!fields.status()) return fields.status().error();
    return token;
  }

  Status add(const AddedToken& token) {
    if (token.single_word && !has_word_) {
      const Result<Pattern> word = Pattern::expression(word_expression);
      if (!word)
        return Error{source_ + ": added_tokens: single_word of \"" + printable(token.content) +
                     "\": " + word.error().message};
      data_->added.set_word(*word);
      data_->added_normalized.set_word(*word);
      has_word_ = true;
    }
    if (!token.normalized) {
      data_->added.add(token, token.content);
      return {};
    }
    const Result<std::string> text = normalize(data_->normalizer, token.content, false);
    if (!text) return text.error();
    if (!text->empty()) data_->added_normalized.add(token, *text);
    return {};
  }

  void make_pieces(const std::vector<AddedToken>& added) {
    std::vector<const std::string*> content(tokens_.size(), nullptr);
    data_->special.assign(tokens_.size(), false);
    for (const AddedToken& token : added) {
      content[std::size_t(token.id)] = &token.content;
      data_->special[std::size_t(token.id)] = token.special;
    }
    for (std::size_t id = 0; id < tokens_.size(); ++id) {
      data_->piece_begin.push_back(static_cast<std::uint32_t>(data_->pieces.size()));
      data_->pieces += content[id] ? *content[id] : piece_of(tokens_[id], data_->decoder);
    }
    data_->piece_begin.push_back(static_cast<std::uint32_t>(data_->pieces.size()));
  }

  Status read_post() {
    if (!fields_.has("post_processor")) return {};
    return read_post_processor(source_ + ": post_processor", object_["post_processor"], *data_);
  }

  std::string source_;
  const json& object_;
  ConfigFields fields_;
  std::shared_ptr<TokenizerData> data_;
  std::vector<std::string> tokens_;  // by id
  std::unordered_set<std::string> given_;
  bool has_word_ = false;
};

}  // namespace

Result<const json*> read_list(const std::string& where, const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return Error{where + ": " + name + " is missing"};
  if (!found->is_array()) return Error{where + ": " + name + " must be a list"};
  return &*found;
}

Result<std::shared_ptr<const TokenizerData>> read_tokenizer(std::string_view text, const std::string& source) {
  const Result<json> object = parse_strict_json(source, text, "the text");
  if (!object) return object.error();
  if (!object->is_object()) return Error{source + ": not a JSON object"};
  return TokenizerReader(source, *object).read();
}

}  // namespace mla
