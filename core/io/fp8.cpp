#include "core/io/fp8.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace mla {
namespace {

float decode(int code) {
  const int exponent = (code >> 3) & 0xf, fraction = code & 7;
  float magnitude = std::ldexp(1 + float(fraction) / 8, exponent - 7);
  if (exponent == 0) magnitude = std::ldexp(float(fraction), -9);  // zero or subnormal
  if (exponent == 0xf && fraction == 7) magnitude = std::numeric_limits<float>::quiet_NaN();
  return std::copysign(magnitude, code & 0x80 ? -1.0f : 1.0f);
}

const std::array<float, 256>& table() {
  static const std::array<float, 256> values = [] {
    std::array<float, 256> made{};
    for (int code = 0; code < 256; ++code) made[std::size_t(code)] = decode(code);
    return made;
  }();
  return values;
}

}  // namespace

float from_e4m3(std::uint8_t code) { return table()[code]; }

void dequantise_e4m3(std::span<const std::byte> codes, std::span<const float> scales, std::int64_t block_cols,
                     std::span<float> out) {
  const std::array<float, 256>& values = table();
  const std::size_t block = std::size_t(block_cols);
  for (std::size_t first = 0, b = 0; first < out.size(); first += block, ++b) {
    const std::size_t end = std::min(first + block, out.size());
    for (std::size_t j = first; j < end; ++j) out[j] = values[std::to_integer<std::uint8_t>(codes[j])] * scales[b];
  }
}

}  // namespace mla
