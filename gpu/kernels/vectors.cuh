#pragma once

// Sixteen bytes at a time.

#include "gpu/kernels/numbers.cuh"
#include "gpu/kernels/platform.cuh"

namespace mla::gpu {

struct alignas(16) Words4 {
  std::uint32_t word[4];
};

struct alignas(8) Words2 {
  std::uint32_t word[2];
};

struct alignas(16) Floats4 {
  float value[4];
};

/// kCount values from `from`, of which `left` are there: zeros for the others. `whole`: the address and the count of what is
/// there are multiples of four values.
template <int kCount>
MLA_DEVICE void load_floats(const float* from, int left, bool whole, float (&out)[kCount]) {
  if (whole) {
    for (int i = 0; i < kCount; i += 4) {
      Floats4 four{};
      if (i < left) four = *reinterpret_cast<const Floats4*>(from + i);
      for (int j = 0; j < 4; ++j) out[i + j] = four.value[j];
    }
  } else {
    for (int i = 0; i < kCount; ++i) out[i] = i < left ? from[i] : 0.0f;
  }
}

/// Whether rows of `cols` values, ldx apart, can be loaded four at a time.
MLA_DEVICE bool is_whole(const float* x, std::int64_t ldx, int cols) {
  return reinterpret_cast<std::uintptr_t>(x) % 16 == 0 && ldx % 4 == 0 && cols % 4 == 0;
}

}  // namespace mla::gpu
