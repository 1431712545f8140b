#include "core/spec/format.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace mla {

namespace {

constexpr std::string_view kNotANumber = "–";

std::string fixed(double value, int decimals) {
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return {text.data(), static_cast<std::size_t>(length)};
}

/// Three significant digits for 1 <= |value| < 10,000, so that a column of them stays narrow.
std::string three_digits(double value) {
  const double size = std::abs(value);
  return fixed(value, size < 9.995 ? 2 : size < 99.95 ? 1 : 0);
}

/// Divides by `base` until three digits and a prefix say it; the index of the prefix is returned through `power`.
double scaled(double value, double base, int most, int& power) {
  for (power = 0; power < most && std::abs(value) >= base - 0.5; ++power) value /= base;
  return value;
}

}  // namespace

std::string format_bytes(std::int64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int power = 0;
  const double value = scaled(static_cast<double>(bytes), 1024, units.size() - 1, power);
  if (power == 0) return std::to_string(bytes) + " B";
  return fixed(value, std::abs(value) < 9.995 ? 2 : 1) + " " + units[power];
}

std::string format_ms(double ms) {
  if (!std::isfinite(ms)) return std::string(kNotANumber);
  const double size = std::abs(ms);
  if (size == 0) return "0 ms";
  if (size < 0.1) return (size < 0.001 ? fixed(ms * 1e3, 3) : three_digits(ms * 1e3)) + " µs";
  if (size < 999.5) return three_digits(ms) + " ms";
  return three_digits(ms / 1e3) + " s";
}

std::string format_count(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (std::size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string format_ratio(double ratio) {
  if (!std::isfinite(ratio)) return std::string(kNotANumber);
  const double size = std::abs(ratio);
  return fixed(ratio, size < 0.095 ? 3 : size < 0.95 ? 2 : size < 99.95 ? 1 : 0) + "x";
}

std::string format_si(double value, std::string_view unit) {
  if (!std::isfinite(value)) return std::string(kNotANumber);
  constexpr std::array prefixes{"", "k", "M", "G", "T", "P", "E"};
  int power = 0;
  value = scaled(value, 1000, prefixes.size() - 1, power);
  const bool whole = power == 0 && value == std::floor(value);
  return (whole ? fixed(value, 0) : three_digits(value)) + " " + prefixes[power] + std::string(unit);
}

}  // namespace mla
