#include "gpu/ops/product.h"

#include <cmath>

#include "gpu/engine/device_weights.h"
#include "tests/gpu/device_test.h"

namespace mla::gpu::testing {
namespace {

/// A weight of that type from normal numbers.
Weight random_weight(int rows, int cols, WeightsDtype dtype, unsigned seed) {
  Weight weight;
  weight.rows = rows;
  weight.cols = cols;
  const std::vector<float> values = normal(std::size_t(rows) * cols, seed);
  if (dtype == WeightsDtype::stored) {
    auto buffer = std::make_shared<Buffer<float>>(values.size());
    std::copy(values.begin(), values.end(), buffer->data());
    weight.values = WeightValues(std::shared_ptr<const Buffer<float>>(std::move(buffer)));
  } else {
    auto matrix = std::make_shared<NarrowMatrix>(rows, cols, dtype);
    matrix->encode(0, rows, values.data());
    weight.narrow = NarrowValues(std::shared_ptr<const NarrowMatrix>(std::move(matrix)));
    weight.dtype = dtype;
  }
  return weight;
}

struct Shape {
  int m, n, cols, heads, head_rows, first_row;
};

class ProductTest : public DeviceTest, public ::testing::WithParamInterface<WeightsDtype> {};

TEST_P(ProductTest, RowsAreTheSumsOfProducts) {
  Stream stream;
  Staging staging(stream);
  for (const Shape& s : std::vector<Shape>{{1, 5, 1, 1, 0, 0},
                                           {1, 70, 129, 1, 0, 0},
                                           {2, 33, 64, 1, 0, 0},
                                           {3, 9, 31, 3, 12, 2},
                                           {7, 600, 40, 1, 0, 0},
                                           {9, 65, 35, 2, 70, 4},
                                           {70, 7, 18, 1, 0, 0}}) {
    const Weight weight = random_weight(s.first_row + s.heads * std::max(s.head_rows, s.n), s.cols, GetParam(), 3);
    const DeviceWeight on_device(staging, weight);
    std::vector<float> wide(std::size_t(weight.rows) * s.cols);
    const float* const w = weight.read(*available_kernels().back(), 0, weight.rows, wide.data());
    const int ldx = s.heads * s.cols + 1, ldy = s.heads * s.n + 2;
    const std::vector<float> x = normal(std::size_t(s.m) * ldx, 4), bias = normal(std::size_t(s.heads) * s.n, 5);
    const auto in = to_device(stream, x), add = to_device(stream, bias);
    Array<float> out(std::size_t(s.m) * ldy);
    stream.zero(out.data(), out.bytes());
    Product p = linear(on_device.matrix(), add.data(), {in.data(), ldx}, s.m, {out.data(), ldy});
    p.n = s.n;
    p.first_row = s.first_row;
    p.heads = s.heads;
    p.head_rows = s.head_rows;
    p.x_head = s.cols;
    p.y_head = s.n;
    multiply(stream, facts_, p);
    const std::vector<float> got = to_host(stream, out);
    for (int i = 0; i < s.m; ++i)
      for (int h = 0; h < s.heads; ++h)
        for (int j = 0; j < s.n; ++j) {
          double want = bias[std::size_t(h) * s.n + j];
          for (int k = 0; k < s.cols; ++k)
            want += double(x[std::size_t(i) * ldx + h * s.cols + k]) *
                    w[std::size_t(s.first_row + h * s.head_rows + j) * s.cols + k];
          ASSERT_NEAR(got[std::size_t(i) * ldy + h * s.n + j], want, 1e-4) << "m " << s.m << " row " << i << " output " << j;
        }
    EXPECT_EQ(got[std::size_t(ldy) - 1], 0) << "beyond the row";
  }
}

TEST_P(ProductTest, FoldedRowsAreWeightedSumsOfRows) {
  Stream stream;
  Staging staging(stream);
  for (const Shape& s :
       std::vector<Shape>{{1, 5, 9, 2, 7, 0}, {3, 12, 64, 1, 12, 0}, {6, 1, 513, 3, 4, 0}, {2, 20, 1, 2, 21, 1}}) {
    const Weight weight = random_weight(s.first_row + s.heads * s.head_rows, s.cols, GetParam(), 6);
    const DeviceWeight on_device(staging, weight);
    std::vector<float> wide(std::size_t(weight.rows) * s.cols);
    const float* const w = weight.read(*available_kernels().back(), 0, weight.rows, wide.data());
    const int ldx = s.heads * s.n, ldy = s.heads * s.cols;
    const std::vector<float> x = normal(std::size_t(s.m) * ldx, 7);
    const auto in = to_device(stream, x);
    Array<float> out(std::size_t(s.m) * ldy);
    Product p = linear(on_device.matrix(), nullptr, {in.data(), ldx}, s.m, {out.data(), ldy});
    p.n = s.n;
    p.first_row = s.first_row;
    p.heads = s.heads;
    p.head_rows = s.head_rows;
    p.x_head = s.n;
    p.y_head = s.cols;
    multiply_transposed(stream, p);
    const std::vector<float> got = to_host(stream, out);
    for (int i = 0; i < s.m; ++i)
      for (int h = 0; h < s.heads; ++h)
        for (int c = 0; c < s.cols; ++c) {
          double want = 0;
          for (int j = 0; j < s.n; ++j)
            want += double(x[std::size_t(i) * ldx + h * s.n + j]) *
                    w[std::size_t(s.first_row + h * s.head_rows + j) * s.cols + c];
          ASSERT_NEAR(got[std::size_t(i) * ldy + h * s.cols + c], want, 1e-4);
        }
  }
}

TEST_F(DeviceTest, AFewRowsMeetWeightsAsTheyLieAndManyInTiles) {
  Stream stream;
  Staging staging(stream);
  const DeviceWeight weight(staging, random_weight(20, 24, WeightsDtype::bf16, 1));
  Array<float> x(12 * 24), y(12 * 20);
  stream.zero(x.data(), x.bytes());
  LaunchLog log;
  multiply(stream, facts_, linear(weight.matrix(), nullptr, {x.data(), 24}, 8, {y.data(), 20}));
  multiply(stream, facts_, linear(weight.matrix(), nullptr, {x.data(), 24}, 9, {y.data(), 20}));
  EXPECT_EQ(log.names(), (std::vector<std::string>{"matvec_bf16", "tiled_product_bf16"}));
}

INSTANTIATE_TEST_SUITE_P(Types, ProductTest, ::testing::Values(WeightsDtype::stored, WeightsDtype::bf16, WeightsDtype::int8),
                         [](const auto& type) { return std::string(name_of(type.param)); });

}  // namespace
}  // namespace mla::gpu::testing
