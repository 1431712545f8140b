#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

struct TokenizerData;

/// A byte-pair tokenizer as Hugging Face's tokenizer.json describes it, byte-level (DeepSeek, Llama 3) or with metaspace and
/// byte fallback (Llama 2). Immutable; copies share one vocabulary, and any thread may use it.
class Tokenizer {
 public:
  /// Reads `directory`/tokenizer.json.
  static Result<Tokenizer> open(const std::string& directory);
  /// Reads the file's text; errors start with `source`.
  static Result<Tokenizer> from_json(std::string_view text, const std::string& source);

  /// The ids of a text, for UTF-8 the same as Hugging Face's (but for characters that are younger than the Unicode version
  /// of the installed PCRE2, where an expression tells letters from symbols). Bytes that are not UTF-8 become tokens of
  /// single bytes, so that decode gives them back. `add_special_tokens` adds what the post-processor puts around a text.
  /// Fails only where one of the file's expressions takes too many steps on the text.
  Result<std::vector<int>> encode(std::string_view text, bool add_special_tokens) const;

  /// The bytes that the ids stand for, added and special tokens by their content, less the space that the tokenizer puts in
  /// front of a text. Ids without a token are passed over.
  std::string decode(std::span<const int> ids) const;
  /// The bytes of one token within a running text; empty where the id has no token.
  std::string_view piece(int id) const;

  bool is_special(int id) const;
  /// One more than the largest id.
  int vocab_size() const;
  /// What the post-processor puts in front of a text.
  std::optional<int> begin_token() const;

 private:
  explicit Tokenizer(std::shared_ptr<const TokenizerData> data) : data_(std::move(data)) {}

  std::shared_ptr<const TokenizerData> data_;
};

}  // namespace mla
