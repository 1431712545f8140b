#pragma once

// The types in which the matrix units multiply a latent cache.

#include "gpu/kernels/matrix.cuh"
#include "gpu/ops/latent_decode.h"

namespace mla::gpu {

/// What a type is unless it says otherwise.
struct PlainProducts {
  static constexpr bool kScaled = false;
  static constexpr bool kCompiled = kCapability >= 80;
};

struct Bf16Products : PlainProducts {
  static constexpr LatentProducts kKind = LatentProducts::bf16;
  static MLA_DEVICE std::uint32_t pack(float x, float y) { return pack_bf16(x, y); }
  static MLA_DEVICE void multiply(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    multiply_bf16(d, a, b0, b1);
  }
};

struct Fp16Products : PlainProducts {
  static constexpr LatentProducts kKind = LatentProducts::fp16;
  static MLA_DEVICE std::uint32_t pack(float x, float y) { return pack_fp16(x, y); }
  static MLA_DEVICE void multiply(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    multiply_fp16(d, a, b0, b1);
  }
};

struct ScaledProducts : Bf16Products {
  static constexpr LatentProducts kKind = LatentProducts::scaled;
  static constexpr bool kScaled = true;
};

struct Fp16HalfSteps : Fp16Products {
  static constexpr LatentProducts kKind = LatentProducts::fp16_half_steps;
  static constexpr bool kCompiled = kCapability == 75 || kCapability >= 900;  // and where the tests run
  static MLA_DEVICE void multiply(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
    multiply_fp16_k8(d, a[0], a[1], b0);
    multiply_fp16_k8(d, a[2], a[3], b1);
  }
};

}  // namespace mla::gpu
