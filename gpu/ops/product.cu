#include "gpu/ops/product.h"

#include "gpu/kernels/fold.cuh"
#include "gpu/kernels/matvec.cuh"
#include "gpu/kernels/product_tile.cuh"

namespace mla::gpu {
namespace {

constexpr int kFewRows = 8;  // of x, for which weights are read as they lie

template <WeightType kType, int kM, int kRows>
void launch_matvec(Stream& stream, const Product& p) {
  using Kernel = MatVec<kType, kM, kRows>;
  launch<Kernel>(stream, {blocks_for(p.n, Kernel::kBlockRows), p.heads}, p);
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
  launch<Kernel>(stream, {blocks_for(p.n, Kernel::Tile::kSide), p.heads, blocks_for(p.m, Kernel::Tile::kSide)}, p,
                 Kernel::Tile::kShared);
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
  with_type(product.weight.type, [&](auto type) { multiply_as<type()>(stream, device, product); });
}

void multiply_transposed(Stream& stream, const Product& p) {
  with_type(p.weight.type, [&](auto type) {
    using Kernel = FoldRows<type()>;
    launch<Kernel>(stream, {blocks_for(p.weight.cols, Kernel::kColumns), p.heads, blocks_for(p.m, Kernel::kM)}, p,
                   Kernel::kShared);
  });
}

}  // namespace mla::gpu
