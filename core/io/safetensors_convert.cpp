#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>

#include "core/io/safetensors.h"

namespace mla {
namespace {

float from_bf16(std::uint16_t bits) { return std::bit_cast<float>(std::uint32_t(bits) << 16); }

/// IEEE 754 half precision: 1 sign, 5 exponent (bias 15) and 10 fraction bits.
float from_fp16(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t(bits & 0x8000) << 16;
  const std::uint32_t exponent = (bits >> 10) & 0x1f;
  const std::uint32_t fraction = bits & 0x3ff;
  if (exponent == 0) {  // zero or subnormal: fraction * 2^-24
    const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
    return sign ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 0x1f ? 0xff : exponent + (127 - 15);  // infinity and NaN stay what they are
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class Convert>
void convert_16(std::span<const std::byte> bytes, std::span<float> out, Convert convert) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes.data() + 2 * i, 2);  // the file does not align its tensors
    out[i] = convert(bits);
  }
}

}  // namespace

bool converts_to_fp32(TensorDtype dtype) {
  return dtype == TensorDtype::f32 || dtype == TensorDtype::f16 || dtype == TensorDtype::bf16;
}

void to_fp32(TensorDtype dtype, std::span<const std::byte> bytes, std::span<float> out) {
  assert(converts_to_fp32(dtype));
  if (out.empty()) return;
  if (dtype == TensorDtype::f32) std::memcpy(out.data(), bytes.data(), bytes.size());
  if (dtype == TensorDtype::f16) convert_16(bytes, out, from_fp16);
  if (dtype == TensorDtype::bf16) convert_16(bytes, out, from_bf16);
}

void to_fp32(const TensorView& tensor, std::span<float> out) {
  assert(out.size() == static_cast<std::size_t>(tensor.elements()));
  to_fp32(tensor.dtype, tensor.bytes, out);
}

Result<std::vector<float>> read_fp32(const Safetensors& file, std::string_view name) {
  const TensorView* const tensor = file.find(name);
  if (!tensor) return Error{file.path() + ": has no tensor \"" + std::string(name) + "\""};
  if (!converts_to_fp32(tensor->dtype)) {
    return Error{file.path() + ": tensor \"" + std::string(name) + "\" is " + std::string(name_of(tensor->dtype)) +
                 "; F32, F16 and BF16 are read"};
  }
  std::vector<float> values(static_cast<std::size_t>(tensor->elements()));
  to_fp32(*tensor, values);
  return values;
}

}  // namespace mla
