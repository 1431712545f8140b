#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace mla {

/// The number that the whole text spells, or nothing: no sign "+", no blanks, no rest, no overflow, no infinity.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stop != end) return std::nullopt;
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return std::nullopt;
  }
  return value;
}

/// The shortest text that parse_number reads back to the same value.
std::string shortest(double value);

/// The text for one line of an error message: control characters and what is not UTF-8 escaped, cut after 80 bytes, '' where
/// it is empty. Always UTF-8.
std::string printable(std::string_view text);

/// Where the text stops being UTF-8 (byte offset), or nothing if it is all UTF-8.
std::optional<std::size_t> invalid_utf8(std::string_view text);

}  // namespace mla
