#pragma once

#include <cstddef>
#include <cstdint>

namespace mla::gpu {

/// How a matrix lies in device memory.
enum class WeightType {
  fp32,
  bf16,
  int8,  ///< bytes with 128 added, and an fp16 scale for each 32 of a row
};

/// A weight matrix [rows, cols] in device memory, row-major. Rows begin at multiples of 16 bytes; what is left of the last
/// 16 of a row is zeros.
struct Matrix {
  WeightType type = WeightType::fp32;
  int rows = 0, cols = 0;
  const std::byte* data = nullptr;
  std::int64_t stride = 0;                ///< bytes between rows
  const std::uint16_t* scales = nullptr;  ///< int8: [rows, groups]
  int groups = 0;
};

}  // namespace mla::gpu
