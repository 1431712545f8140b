#pragma once

// Sixteen bytes of a weight matrix as fp32.

#include <type_traits>

#include "gpu/kernels/vectors.cuh"
#include "gpu/ops/matrix.h"

namespace mla::gpu {

/// Calls `body` with the type as a constant: how the host chooses among kernels.
template <class Body>
void with_type(WeightType type, Body body) {
  switch (type) {
    case WeightType::fp32:
      return body(std::integral_constant<WeightType, WeightType::fp32>{});
    case WeightType::bf16:
      return body(std::integral_constant<WeightType, WeightType::bf16>{});
    case WeightType::int8:
      return body(std::integral_constant<WeightType, WeightType::int8>{});
  }
}

/// Values in 16 bytes of a row.
MLA_BOTH constexpr int chunk_values(WeightType type) {
  return type == WeightType::fp32 ? 4 : type == WeightType::bf16 ? 8 : 16;
}

template <WeightType kType>
struct WeightChunk {
  static constexpr int kValues = chunk_values(kType);
  static constexpr int kBytes = 16 / kValues;

  Words4 words;
  float scale;  // of all its values: a chunk lies within one group of 32

  /// Columns [col, col + kValues) of a row; col is a multiple of kValues, less than cols.
  static MLA_DEVICE WeightChunk load(const Matrix& matrix, std::int64_t row, int col) {
    WeightChunk chunk;
    chunk.words = *reinterpret_cast<const Words4*>(matrix.data + row * matrix.stride + std::int64_t(col) * kBytes);
    chunk.scale = kType == WeightType::int8 ? float_of_fp16(matrix.scales[row * matrix.groups + col / 32]) : 1.0f;
    return chunk;
  }

  /// The values, less the scale.
  MLA_DEVICE void unpack(float (&out)[kValues]) const {
    for (int i = 0; i < 4; ++i) {
      const std::uint32_t word = words.word[i];
      if constexpr (kType == WeightType::fp32) {
        out[i] = float_of_bits(word);
      } else if constexpr (kType == WeightType::bf16) {
        out[2 * i] = float_of_bits(word << 16);
        out[2 * i + 1] = float_of_bits(word & 0xffff0000u);
      } else {
        // A byte as the lowest of a float's mantissa is that many units above 2^23.
        for (int j = 0; j < 4; ++j) out[4 * i + j] = float_of_bits(0x4b000000u | (word >> 8 * j & 0xffu)) - 8388736.0f;
      }
    }
  }
};

/// Columns [col, col + 4) of a row; col is a multiple of 4, less than cols.
template <WeightType kType>
MLA_DEVICE void weights_at(const Matrix& matrix, std::int64_t row, int col, float (&out)[4]) {
  const std::byte* const data = matrix.data + row * matrix.stride;
  if constexpr (kType == WeightType::fp32) {
    const Floats4 four = *reinterpret_cast<const Floats4*>(data + std::int64_t(col) * 4);
    for (int i = 0; i < 4; ++i) out[i] = four.value[i];
  } else if constexpr (kType == WeightType::bf16) {
    const Words2 words = *reinterpret_cast<const Words2*>(data + std::int64_t(col) * 2);
    for (int i = 0; i < 4; ++i) out[i] = float_of_bf16(std::uint16_t(words.word[i / 2] >> 16 * (i % 2)));
  } else {
    const std::uint32_t word = *reinterpret_cast<const std::uint32_t*>(data + col);
    const float scale = float_of_fp16(matrix.scales[row * matrix.groups + col / 32]);
    for (int i = 0; i < 4; ++i) out[i] = (float(word >> 8 * i & 0xffu) - 128.0f) * scale;
  }
}

}  // namespace mla::gpu
