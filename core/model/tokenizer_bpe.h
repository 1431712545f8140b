#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace mla {

/// Two neighbouring tokens become one; of all that are possible, the one of least rank first, then the leftmost.
struct BpeMerge {
  std::uint32_t rank = 0;
  int id = 0;
};

/// Finds a text's id without making a std::string of it.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
using Vocabulary = std::unordered_map<std::string, int, TextHash, std::equal_to<>>;

/// Byte-pair encoding of single words, as Hugging Face's BPE model does it.
class BpeModel {
 public:
  bool byte_level = false;     ///< words are bytes and start as one token each; else characters do
  bool byte_fallback = false;  ///< a character without a token becomes the tokens <0x00>… of its bytes, if all are there
  bool fuse_unk = false;       ///< unknown neighbours become one unknown token
  bool ignore_merges = false;  ///< a word that is a token stays whole
  std::optional<int> unk;      ///< for a character that has nothing else; without it, it is left out
  Vocabulary vocabulary;       ///< tokens by the bytes they stand for (by characters where not byte_level)
  std::array<int, 256> byte_ids{};  ///< tokens of single bytes, by the way in which this model writes them; -1 where none
  std::unordered_map<std::uint64_t, BpeMerge> merges;  ///< by pair_of(left, right)

  static std::uint64_t pair_of(int left, int right) {
    return std::uint64_t(std::uint32_t(left)) << 32 | std::uint32_t(right);
  }

  /// Appends the ids of a word of UTF-8. Time grows as n log n with its length.
  void encode_word(std::string_view word, std::vector<int>& out) const;
  /// Appends the id of a byte outside UTF-8; unk, or nothing, where it has none.
  void encode_byte(unsigned char byte, std::vector<int>& out) const;

 private:
  void start_bytes(std::string_view word, std::vector<int>& ids) const;
  void start_characters(std::string_view word, std::vector<int>& ids) const;
  bool fall_back(std::string_view character, std::vector<int>& ids) const;
};

}  // namespace mla
