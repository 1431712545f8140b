#include "core/model/tokenizer_text.h"

#include <array>
#include <cstdint>

namespace mla {
namespace {

constexpr char32_t alphabet_end = 0x144;  // 0x100 and the 68 bytes that do not print

bool prints(unsigned byte) { return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte != 0xad); }

std::array<char32_t, 256> characters_of_bytes() {
  std::array<char32_t, 256> characters{};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte) characters[byte] = prints(byte) ? byte : next++;
  return characters;
}

std::array<std::int16_t, alphabet_end> bytes_of_characters() {
  std::array<std::int16_t, alphabet_end> bytes{};
  bytes.fill(-1);
  const auto characters = characters_of_bytes();
  for (unsigned byte = 0; byte < 256; ++byte) bytes[characters[byte]] = static_cast<std::int16_t>(byte);
  return bytes;
}

int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return -1;
}

}  // namespace

char32_t first_code_point(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t length = utf8_length(text[0]);
  if (length == 1) return byte(0);
  char32_t code = byte(0) & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) code = code << 6 | (byte(i) & 0x3fu);
  return code;
}

std::string utf8_of(char32_t code) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((code >> shift) & 0x3f)); };
  if (code < 0x80) return {static_cast<char>(code)};
  if (code < 0x800) return {static_cast<char>(0xc0 | code >> 6), tail(0)};
  if (code < 0x10000) return {static_cast<char>(0xe0 | code >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0)};
}

bool is_white_space(char32_t code) {
  return (code >= 9 && code <= 13) || code == 0x20 || code == 0x85 || code == 0xa0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200a) || code == 0x2028 || code == 0x2029 || code == 0x202f || code == 0x205f ||
         code == 0x3000;
}

std::size_t leading_white_space(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_white_space(first_code_point(text.substr(at)))) at += utf8_length(text[at]);
  return at;
}

std::size_t trailing_white_space(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0) {
    std::size_t begin = end - 1;
    while ((static_cast<unsigned char>(text[begin]) & 0xc0) == 0x80) --begin;
    if (!is_white_space(first_code_point(text.substr(begin)))) break;
    end = begin;
  }
  return text.size() - end;
}

char32_t byte_level_character(unsigned char byte) {
  static const auto characters = characters_of_bytes();
  return characters[byte];
}

bool byte_level_bytes(std::string_view token, std::string& bytes) {
  static const auto table = bytes_of_characters();
  bytes.clear();
  for (std::size_t at = 0; at < token.size(); at += utf8_length(token[at])) {
    const char32_t code = first_code_point(token.substr(at));
    if (code >= alphabet_end || table[code] < 0) return false;
    bytes += static_cast<char>(table[code]);
  }
  return true;
}

int fallback_byte(std::string_view token) {
  if (token.size() != 6 || token.substr(0, 3) != "<0x" || token[5] != '>') return -1;
  const int high = hex_digit(token[3]), low = hex_digit(token[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string fallback_token(unsigned char byte) {
  const char* const digits = "0123456789ABCDEF";
  return {'<', '0', 'x', digits[byte >> 4], digits[byte & 15], '>'};
}

}  // namespace mla
