#pragma once

#include "gpu/ops/matrix.h"
#include "gpu/ops/norm.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// A product with some rows of a weight matrix, or, head by head, with a run of rows for each head.
struct Product {
  Matrix weight;
  const float* bias = nullptr;  ///< device [heads, n], or null
  Rows x;                       ///< [m, cols]; head h's begins x_head h values later
  Rows y;                       ///< [m, n]; likewise y_head
  int m = 1, n = 0;
  int first_row = 0;  ///< of head 0's rows
  int heads = 1, head_rows = 0;
  int x_head = 0, y_head = 0;
};

/// The product of all rows of a matrix: y[m, rows] = x W^T + bias.
Product linear(const Matrix& weight, const float* bias, Rows x, int m, Rows y);

/// y[i, h y_head + j] = x[i, h x_head …] · W[first_row + h head_rows + j] + bias[h n + j]. A few rows of x meet each row of
/// weights as it comes from memory; many are taken in tiles. Throws Failure.
void multiply(Stream& stream, const DeviceFacts& device, const Product& product);

/// y[i, h y_head + c] = the sum over j < n of x[i, h x_head + j] W[first_row + h head_rows + j, c]: the same with the matrix
/// transposed, y [m, cols]. How W_UK is folded into a query. No bias.
void multiply_transposed(Stream& stream, const Product& product);

}  // namespace mla::gpu
