#include "core/tensor/compute.h"

#include <algorithm>
#include <cmath>

namespace mla {
namespace {

// Below this many operations waking another thread costs more than it saves.
constexpr std::int64_t kWorthSharing = 1 << 17;

void add_bias(const Weight& bias, float* y, int m, int stride, int first, int n) {
  if (!bias) return;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) y[std::ptrdiff_t(i) * stride + first + j] += bias.data()[first + j];
}

}  // namespace

void Compute::count(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t weight_bytes) {
  work.operations += 2 * m * n * k;
  work.weight_bytes += weight_bytes;
}

void Compute::linear(const Linear& linear, const float* x, int m, float* y) {
  const int n = linear.weight.rows, k = linear.weight.cols;
  const float* w = linear.weight.data();
  count(m, n, k, linear.weight.bytes());
  const bool share = std::int64_t(m) * n * k >= kWorthSharing;
  const int parts = share ? std::min(4 * pool.threads(), (n + 3) / 4) : 1;
  const int step = ((n + parts - 1) / parts + 3) / 4 * 4;
  pool.run((n + step - 1) / step, [&](int item, int) {
    const int first = item * step, rows = std::min(step, n - first);
    kernels.gemm_nt(m, rows, k, x, k, w + std::ptrdiff_t(first) * k, k, y + first, n);
    add_bias(linear.bias, y, m, n, first, rows);
  });
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
