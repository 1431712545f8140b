#pragma once

// Number formats as kernels meet them: stored as integers, computed with as fp32. The same bits on a GPU and in the tests.

#include "gpu/kernels/platform.cuh"

#ifdef __CUDACC__
#include <cuda_fp16.h>
#endif

namespace mla::gpu {

MLA_BOTH float float_of_bits(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  union {
    std::uint32_t bits;
    float value;
  } both{bits};
  return both.value;
#endif
}

MLA_BOTH std::uint32_t bits_of(float value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  union {
    float value;
    std::uint32_t bits;
  } both{value};
  return both.bits;
#endif
}

MLA_BOTH float float_of_bf16(std::uint16_t x) { return float_of_bits(std::uint32_t(x) << 16); }

/// Rounded to nearest, ties to even; NaN stays NaN.
MLA_BOTH std::uint16_t bf16_of(float x) {
  const std::uint32_t bits = bits_of(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return std::uint16_t(bits >> 16 | 0x40);
  return std::uint16_t((bits + 0x7fffu + (bits >> 16 & 1)) >> 16);
}

MLA_BOTH float float_of_fp16(std::uint16_t x) {
#ifdef __CUDA_ARCH__
  return __half2float(__ushort_as_half(x));
#else
  const std::uint32_t sign = std::uint32_t(x & 0x8000) << 16, exponent = x >> 10 & 31, mantissa = x & 1023;
  if (exponent == 31) return float_of_bits(sign | 0x7f800000u | mantissa << 13);
  if (exponent == 0) {
    const float small = float(mantissa) * 0x1p-24f;
    return sign ? -small : small;
  }
  return float_of_bits(sign | (exponent + 112) << 23 | mantissa << 13);
#endif
}

/// Rounded to nearest, ties to even.
MLA_BOTH std::uint16_t fp16_of(float x) {
#ifdef __CUDA_ARCH__
  return __half_as_ushort(__float2half_rn(x));
#else
  const std::uint32_t bits = bits_of(x), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000u) return std::uint16_t(sign | 0x7e00 | (magnitude >> 13 & 0x1ff));
  if (magnitude >= 0x47800000u) return std::uint16_t(sign | 0x7c00);
  if (magnitude < 0x38800000u) {  // subnormal: the addition rounds
    const float shifted = float_of_bits(magnitude) + 0.5f;
    return std::uint16_t(sign | (bits_of(shifted) - 0x3f000000u));
  }
  return std::uint16_t(sign | (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1)) >> 13);
#endif
}

/// E4M3, without infinities: 0x7f and 0xff are NaN.
MLA_BOTH float float_of_fp8(std::uint8_t x) {
  const std::uint32_t sign = std::uint32_t(x & 0x80) << 24, magnitude = x & 0x7f;
  if (magnitude == 0x7f) return float_of_bits(sign | 0x7fc00000u);
  return float_of_bits(sign | magnitude << 20) * 0x1p120f;  // the exponents' difference; exact for subnormals too
}

/// Rounded to nearest, ties to even, at most 448 in magnitude; NaN stays NaN.
MLA_BOTH std::uint8_t fp8_of(float x) {
  const std::uint32_t bits = bits_of(x), sign = bits >> 24 & 0x80, magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000u) return std::uint8_t(sign | 0x7f);
  if (magnitude >= 0x43e00000u) return std::uint8_t(sign | 0x7e);
  if (magnitude < 0x3c800000u) {  // below 2^-6: units of 2^-9, the addition rounds
    const float shifted = float_of_bits(magnitude) + 0x1p14f;
    return std::uint8_t(sign | (bits_of(shifted) - 0x46800000u));
  }
  const std::uint32_t rounded = magnitude - (120u << 23) + 0x7ffffu + (magnitude >> 20 & 1);
  const std::uint32_t code = rounded >> 20;
  return std::uint8_t(sign | (code > 0x7e ? 0x7e : code));
}

}  // namespace mla::gpu
