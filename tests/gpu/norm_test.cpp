#include "gpu/ops/norm.h"

#include <cmath>

#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {
namespace {

using NormTest = DeviceTest;

TEST_F(NormTest, RowsAreDividedByTheirRootMeanSquare) {
  Stream stream;
  for (const int n : {1, 31, 256, 4097}) {
    const int rows = 3, stride = n + 2;
    const std::vector<float> x = normal(std::size_t(rows) * stride, 1), weight = normal(std::size_t(n), 2);
    const auto in = to_device(stream, x), w = to_device(stream, weight);
    Array<float> out(std::size_t(rows) * n);
    rms_norm(stream, {in.data(), stride}, rows, n, w.data(), 1e-6f, {out.data(), n});
    const std::vector<float> got = to_host(stream, out);
    for (int r = 0; r < rows; ++r) {
      double squares = 0;
      for (int i = 0; i < n; ++i) squares += double(x[std::size_t(r) * stride + i]) * x[std::size_t(r) * stride + i];
      for (int i = 0; i < n; ++i) {
        const double want = x[std::size_t(r) * stride + i] / std::sqrt(squares / n + 1e-6) * weight[std::size_t(i)];
        EXPECT_NEAR(got[std::size_t(r) * n + i], want, 1e-5 * (1 + std::abs(want))) << "n " << n << " row " << r;
      }
    }
  }
}

}  // namespace
}  // namespace mla::gpu::testing
