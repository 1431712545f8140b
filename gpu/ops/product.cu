#include "gpu/ops/product.h"

#include "gpu/kernels/fold.cuh"
#include "gpu/kernels/matvec.cuh"
#include "gpu/kernels/product_tile.cuh"

namespace mla::gpu {
namespace {

constexpr int kFewRows = 8;  // of x, for which weights are read as they lie

int parts(int length, int part) { return (length + part - 1) / part; }

template <class Kernel>
typename Kernel::Params params_of(const Product& p) {
  return {p.weight, p.bias, p.x.data,    p.y.data,    p.x.stride, p.y.stride,
          p.m,      p.n,    p.first_row, p.head_rows, p.x_head,   p.y_head};
}

template <WeightType kType, int kM, int kRows>
void launch_matvec(Stream& stream, const Product& p) {
  using Kernel = MatVec<kType, kM, kRows>;
  launch<Kernel>(stream, {parts(p.n, Kernel::kBlockRows), p.heads}, params_of<Kernel>(p));
}

/// Several rows of weights a warp where there are enough to keep the whole device busy anyway.
template <WeightType kType>
void multiply_few(Stream& stream, const DeviceFacts& device, const Product& p) {
  const bool many = std::int64_t(p.n) * p.heads >= std::int64_t(device.multiprocessors) * 128;
  if (p.m == 1) return many ? launch_matvec<kType, 1, 4>(stream, p) : launch_matvec<kType, 1, 1>(stream, p);
  if (p.m == 2) return many ? launch_matvec<kType, 2, 2>(stream, p) : launch_matvec<kType, 2, 1>(stream, p);
  if (p.m <= 4) return many ? launch_matvec<kType, 4, 2>(stream, p) : launch_matvec<kType, 4, 1>(stream, p);
  return many ? launch_matvec<kType, 8, 2>(stream, p) : launch_matvec<kType, 8, 1>(stream, p);
}

template <WeightType kType>
void multiply_as(Stream& stream, const DeviceFacts& device, const Product& p) {
  if (p.m <= kFewRows) return multiply_few<kType>(stream, device, p);
  using Kernel = TiledProduct<kType>;
  launch<Kernel>(stream, {parts(p.n, Kernel::Tile::kSide), p.heads, parts(p.m, Kernel::Tile::kSide)}, params_of<Kernel>(p),
                 Kernel::Tile::kShared);
}

template <WeightType kType>
void fold_as(Stream& stream, const Product& p) {
  using Kernel = FoldRows<kType>;
  launch<Kernel>(
      stream, {parts(p.weight.cols, Kernel::kColumns), p.heads, parts(p.m, Kernel::kM)},
      {p.weight, p.x.data, p.y.data, p.x.stride, p.y.stride, p.m, p.n, p.first_row, p.head_rows, p.x_head, p.y_head},
      Kernel::kShared);
}

}  // namespace

Product linear(const Matrix& weight, const float* bias, Rows x, int m, Rows y) {
  Product product;
  product.weight = weight;
  product.bias = bias;
  product.x = x;
  product.y = y;
  product.m = m;
  product.n = weight.rows;
  return product;
}

void multiply(Stream& stream, const DeviceFacts& device, const Product& product) {
  switch (product.weight.type) {
    case WeightType::fp32:
      return multiply_as<WeightType::fp32>(stream, device, product);
    case WeightType::bf16:
      return multiply_as<WeightType::bf16>(stream, device, product);
    case WeightType::int8:
      return multiply_as<WeightType::int8>(stream, device, product);
  }
}

void multiply_transposed(Stream& stream, const Product& product) {
  switch (product.weight.type) {
    case WeightType::fp32:
      return fold_as<WeightType::fp32>(stream, product);
    case WeightType::bf16:
      return fold_as<WeightType::bf16>(stream, product);
    case WeightType::int8:
      return fold_as<WeightType::int8>(stream, product);
  }
}

}  // namespace mla::gpu
