#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mla {

/// Bytes of the character that begins with `first`, within valid UTF-8.
inline std::size_t utf8_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// The code point at the start of valid, non-empty UTF-8.
char32_t first_code_point(std::string_view text);

/// The code point as UTF-8.
std::string utf8_of(char32_t code);

/// Whether Unicode gives it the property White_Space.
bool is_white_space(char32_t code);

/// Bytes of white space at the start and at the end of valid UTF-8.
std::size_t leading_white_space(std::string_view text);
std::size_t trailing_white_space(std::string_view text);

/// The character by which byte-level vocabularies write a byte: printable Latin-1 as itself, the others from U+0100 on
/// (GPT-2's alphabet).
char32_t byte_level_character(unsigned char byte);

/// The bytes that a token of a byte-level vocabulary stands for; false where it has a character outside the alphabet.
bool byte_level_bytes(std::string_view token, std::string& bytes);

/// The byte of a fallback token, "<0x0A>"; -1 for any other.
int fallback_byte(std::string_view token);

/// The fallback token of a byte.
std::string fallback_token(unsigned char byte);

}  // namespace mla
