#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>

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

/// Four rows of four values, turned in registers.
inline void turn_four(const float* in, std::ptrdiff_t ldi, float* out, std::ptrdiff_t ldo) {
  typedef float Four __attribute__((vector_size(16)));
  Four row[4];
  for (int i = 0; i < 4; ++i) std::memcpy(&row[i], in + i * ldi, sizeof(Four));
  const Four low = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5),
             high = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four low2 = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four high2 = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four turned[4] = {__builtin_shufflevector(low, low2, 0, 1, 4, 5), __builtin_shufflevector(low, low2, 2, 3, 6, 7),
                          __builtin_shufflevector(high, high2, 0, 1, 4, 5),
                          __builtin_shufflevector(high, high2, 2, 3, 6, 7)};
  for (int j = 0; j < 4; ++j) std::memcpy(out + j * ldo, &turned[j], sizeof(Four));
}

/// out [columns, rows] = in [rows, columns]^T, a tile of cache lines at a time; distances of rows in elements.
inline void turn(int rows, int columns, const float* in, std::ptrdiff_t ldi, float* out, std::ptrdiff_t ldo) {
  constexpr int line = 16;
  const int whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (int r = 0; r < whole_rows; r += line)
    for (int c = 0; c < whole_columns; c += line)
      for (int j = c; j < std::min(whole_columns, c + line); j += 4)
        for (int i = r; i < std::min(whole_rows, r + line); i += 4) turn_four(in + i * ldi + j, ldi, out + j * ldo + i, ldo);
  for (int i = 0; i < rows; ++i)
    for (int j = i < whole_rows ? whole_columns : 0; j < columns; ++j) out[j * ldo + i] = in[i * ldi + j];
}

/// Rows of sums [rows, width], each scaled as softmax_columns says of its column.
inline void scale_rows(const float* scale, int rows, int width, float* sums, std::ptrdiff_t ld) {
  for (int r = 0; r < rows; ++r)
    if (scale[r] != 1) std::for_each(sums + r * ld, sums + r * ld + width, [=](float& x) { x *= scale[r]; });
}

}  // namespace mla
