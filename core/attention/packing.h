#pragma once

#include <algorithm>
#include <cstddef>

#include "core/tensor/buffer.h"
#include "core/tensor/kernels.h"

namespace mla {

/// Below every score.
inline constexpr float kLowestScore = -3.4e38f;

template <class T>
void reserve(Buffer<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer = Buffer<T>(size);
}

/// Columns in whole registers, the widest there are.
inline int padded(int columns) { return (columns + kernel_columns - 1) / kernel_columns * kernel_columns; }

/// From one row of so many fp32 values, or pairs of bf16, to the next: an odd number of cache lines, since rows a power of
/// two apart push each other out of the first-level cache.
inline int row_step(int columns) { return kernel_columns * (padded(columns) / kernel_columns | 1); }
inline int pair_step(int columns) { return 2 * row_step(columns); }

/// out [columns, rows] = in [rows, columns]^T, a tile of cache lines at a time; distances of rows in elements.
inline void turn(int rows, int columns, const float* in, std::ptrdiff_t ldi, float* out, std::ptrdiff_t ldo) {
  constexpr int line = 16;
  for (int r = 0; r < rows; r += line)
    for (int c = 0; c < columns; c += line)
      for (int j = c; j < std::min(columns, c + line); ++j)
        for (int i = r; i < std::min(rows, r + line); ++i) out[j * ldo + i] = in[i * ldi + j];
}

/// Rows of sums [rows, width], each scaled as softmax_columns says of its column.
inline void scale_rows(const float* scale, int rows, int width, float* sums, std::ptrdiff_t ld) {
  for (int r = 0; r < rows; ++r)
    if (scale[r] != 1) std::for_each(sums + r * ld, sums + r * ld + width, [=](float& x) { x *= scale[r]; });
}

}  // namespace mla
