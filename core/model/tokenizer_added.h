#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/model/tokenizer_pattern.h"

namespace mla {

/// A token that is found in a text before anything else looks at it.
struct AddedToken {
  int id = 0;
  std::string content;
  bool single_word = false;  ///< not where a letter, mark, digit or underscore touches it
  bool lstrip = false;       ///< takes the white space to its left along
  bool rstrip = false;       ///< and to its right
  bool normalized = false;   ///< found in the normalized text, by its own normalized content
  bool special = false;
};

/// A stretch of text, or the added token that stands there.
struct AddedSpan {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::optional<int> id;
};

/// Finds added tokens: the leftmost, and of those that begin at one place the longest.
class AddedMatcher {
 public:
  /// Takes the token by the text to look for, which is not empty.
  void add(const AddedToken& token, std::string_view text);
  /// What tells letters from other characters; needed once a token is single_word.
  void set_word(Pattern word) { word_ = std::move(word); }

  /// Cuts the text (UTF-8) into spans, left to right. Spans may overlap where rstrip takes what a later token begins with.
  Status find(std::string_view text, std::vector<AddedSpan>& out) const;

 private:
  struct Entry {
    int id = 0;
    bool single_word = false, lstrip = false, rstrip = false;
  };
  struct Match {
    std::size_t end = 0;
    const Entry* entry = nullptr;
  };
  Match longest(std::string_view text, std::size_t begin) const;
  Result<bool> stands_alone(std::string_view text, std::size_t begin, std::size_t end) const;

  std::vector<Entry> entries_;
  std::unordered_map<std::uint64_t, std::uint32_t> children_;  // by node and byte; node 0 is the root
  std::vector<int> entry_of_node_{-1};
  std::optional<Pattern> word_;
};

}  // namespace mla
