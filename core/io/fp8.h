#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace mla {

/// The value of an E4M3 code: 1 sign, 4 exponent (bias 7) and 3 fraction bits; no infinity, and NaN only where exponent and
/// fraction are all ones (OCP 8-bit floating point, 2023).
float from_e4m3(std::uint8_t code);

/// One row of a block-scaled E4M3 matrix: out[j] = codes[j] scales[j / block_cols], rounded once to fp32.
void dequantise_e4m3(std::span<const std::byte> codes, std::span<const float> scales, std::int64_t block_cols,
                     std::span<float> out);

}  // namespace mla
