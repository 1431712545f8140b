#include "core/tensor/compute.h"

#include <algorithm>
#include <cmath>

namespace mla {
namespace {

// Below this many operations waking another thread costs more than it saves.
constexpr std::int64_t kWorthSharing = 1 << 17;

/// Of weights that one row meets: what a thread takes at a time, so that none waits long for another's last.
constexpr std::int64_t kItemBytes = 1 << 20;

/// Rows of W that a thread takes at a time, in fours.
int item_rows(const Weight& weight, int threads) {
  const std::int64_t even = (weight.rows + 4 * threads - 1) / (4 * threads);
  return int((std::min(even, std::max<std::int64_t>(1, kItemBytes / weight.row_bytes())) + 3) / 4 * 4);
}

bool is_int8(const Weight& weight) { return weight.narrow && weight.narrow->int8(); }

void round(const Kernels& kernels, const float* x, int k, Compute::Rounded& out) {
  kernels.round_row(k, x, out.values.data(), out.scales.data(), out.offsets.data());
}

void reserve_rounded(std::vector<Compute::Rounded>& rows, int k) {
  const std::size_t groups = (std::size_t(k) + 31) / 32;
  for (Compute::Rounded& row : rows) {
    if (row.scales.size() >= groups) continue;
    row.values = Buffer<std::int16_t>(32 * groups);
    row.scales = Buffer<float>(groups);
    row.offsets = Buffer<float>(groups);
  }
}

/// y[n] = W[first … first + n, cols] x of narrow weights.
void narrow_rows(const Kernels& kernels, const NarrowMatrix& matrix, int first, int n, const float* x,
                 const Compute::Rounded& rounded, float* y) {
  const auto* const from = reinterpret_cast<const std::uint8_t*>(matrix.row(first));
  const int k = matrix.format.values();
  if (matrix.int8()) return kernels.int8_rows(n, k, rounded.row(), from, matrix.format.bytes(), y);
  kernels.bf16_rows(n, k, x, from, matrix.format.bytes(), y);
}

void add_bias(const Weight& bias, float* y, int m, int stride, int first, int n) {
  if (!bias) return;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) y[std::ptrdiff_t(i) * stride + first + j] += bias.data()[first + j];
}

}  // namespace

void Compute::count(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weight_bytes) {
  work.count_product(m, n, k, weight_bytes);
}

void Compute::linear(const Linear& linear, const float* x, int m, float* y) {
  const int n = linear.weight.rows, k = linear.weight.cols;
  prepare(linear.weight, m);
  if (linear.bias) linear.bias.make();
  count(m, n, k, linear.weight.bytes());
  const bool share = std::int64_t(m) * n * k >= kWorthSharing;
  const int step = share ? item_rows(linear.weight, pool.threads()) : n;
  const bool narrow = m == 1 && linear.weight.narrow;
  Rounded& row = rounded.back();
  if (narrow && is_int8(linear.weight)) round(kernels, x, k, row);
  pool.run((n + step - 1) / step, [&](int item, int thread) {
    const int first = item * step, count = std::min(step, n - first);
    if (narrow)
      narrow_rows(kernels, *linear.weight.narrow, first, count, x, row, y + first);
    else
      rows(linear.weight, first, count, x, k, m, y + first, n, thread);
    add_bias(linear.bias, y, m, n, first, count);
  });
}

void Compute::rows(const Weight& weight, int first, int n, const float* x, std::ptrdiff_t ldx, int m, float* y,
                   std::ptrdiff_t ldy, int thread) {
  const int k = weight.cols;
  if (!weight.narrow) return kernels.gemm_nt(m, n, k, x, ldx, weight.data() + std::ptrdiff_t(first) * k, k, y, ldy);
  const NarrowMatrix& matrix = *weight.narrow;
  if (m == 1) {
    Rounded& row = rounded[std::size_t(thread)];
    if (matrix.int8()) round(kernels, x, k, row);
    return narrow_rows(kernels, matrix, first, n, x, row, y);
  }
  float* wide = scratch(thread);
  for (int r = 0; r < n; r += kFewRows) {
    const int some = std::min(kFewRows, n - r);
    kernels.gemm_nt(m, some, k, x, ldx, weight.read(kernels, first + r, some, wide), k, y + r, ldy);
  }
}

void Compute::prepare(const Weight& weight, int m) {
  weight.make();
  if (!weight.narrow) return;
  if (m == 1) {
    if (is_int8(weight)) reserve_rounded(rounded, weight.cols);
    return;
  }
  const std::size_t values = std::size_t(kFewRows) * weight.cols;
  for (Buffer<float>& buffer : buffers)
    if (buffer.size() < values) buffer = Buffer<float>(values);
}

void Compute::rms_norm(const Weight& weight, double eps, const float* x, int m, float* out) {
  const int n = weight.rows;
  for (int i = 0; i < m; ++i)
    kernels.rms_norm(x + std::ptrdiff_t(i) * n, weight.data(), float(eps), out + std::ptrdiff_t(i) * n, n);
}

void Compute::layer_norm(const Weight& weight, const Weight& bias, float* x, int m) {
  const int n = weight.rows;
  for (int i = 0; i < m; ++i) {
    float* row = x + std::ptrdiff_t(i) * n;
    double mean = 0, square = 0;
    for (int j = 0; j < n; ++j) mean += row[j];
    mean /= n;
    for (int j = 0; j < n; ++j) square += (row[j] - mean) * (row[j] - mean);
    const double scale = 1 / std::sqrt(square / n + 1e-5);
    for (int j = 0; j < n; ++j) row[j] = float((row[j] - mean) * scale) * weight.data()[j] + bias.data()[j];
  }
}

}  // namespace mla
