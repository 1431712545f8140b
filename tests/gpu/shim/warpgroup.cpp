// Products of warpgroups.
#include <cstring>
#include <stdexcept>
#include <utility>

#include "gpu/kernels/numbers.cuh"
#include "tests/gpu/shim/hopper.h"

namespace mla::gpu::shim {
namespace {

constexpr int kRows = 64, kDepth = 16;

Warpgroup& own_group(const Lane& lane) { return lane.block->warpgroups[std::size_t(lane.number / kWarpgroupLanes)]; }

/// All lanes come together; the last one does `what`, at once, so that nobody else comes before it who was not waited for.
template <class What>
void together(const What& what) {
  Warpgroup& group = own_group(current());
  wait_at(group.barrier, [&] { what(group); });
}

/// A matrix descriptor, as the hardware takes it apart (PTX ISA, "Matrix Descriptor Format").
struct Descriptor {
  std::uint32_t first, leading, stride;

  explicit Descriptor(std::uint64_t bits)
      : first(std::uint32_t(bits & 0x3fff) << 4),
        leading(std::uint32_t(bits >> 16 & 0x3fff) << 4),
        stride(std::uint32_t(bits >> 32 & 0x3fff) << 4) {
    constexpr std::uint64_t kUnused = 3ull << 14 | 3ull << 30 | 0xffffull << 46;
    if (bits >> 62 != 1) throw std::logic_error("a descriptor of another swizzle than 128 bytes");
    if (bits & kUnused) throw std::logic_error("bits of a descriptor that have no meaning");
  }

  /// The address of element (row, k) of 16-bit values: canonical ((8,m),(T,2k)):((8T,SBO),(1,T)), or across the rows
  /// ((T,8,m),(8,k)):((1,T,LBO),(8T,SBO)), T = 8; then bits 4-6 are XORed with bits 7-9.
  std::uint32_t address(std::uint32_t row, std::uint32_t k, bool across) const {
    const std::uint32_t at = first + (across ? row % 64 * 2 + row / 64 * leading + k % 8 * 128 + k / 8 * stride
                                             : row % 8 * 128 + row / 8 * stride + k * 2);
    return at ^ (at >> 7 & 7) << 4;
  }
};

std::vector<std::uint16_t> read(const Block& block, std::uint64_t bits, int rows, bool across) {
  const Descriptor descriptor(bits);
  std::vector<std::uint16_t> values(std::size_t(rows) * kDepth);
  const std::uint32_t origin = shared_address(block.shared);
  for (int row = 0; row < rows; ++row)
    for (int k = 0; k < kDepth; ++k) {
      const std::uint32_t offset = descriptor.address(std::uint32_t(row), std::uint32_t(k), across) - origin;
      if (offset + 2 > block.shared_bytes) throw std::logic_error("an operand outside shared memory");
      if (block.seen.empty() || std::memcmp(block.seen.data() + offset, block.shared + offset, 2) != 0)
        throw std::logic_error("an operand that was written but not published");
      std::memcpy(&values[std::size_t(row) * kDepth + k], block.shared + offset, 2);
    }
  return values;
}

/// a [64, 16] b [columns, 16]ᵀ
std::vector<float> multiply(const Product& product) {
  std::vector<float> b(product.b_seen.size()), result(std::size_t(kRows) * product.columns);
  for (int n = 0; n < product.columns; ++n)
    for (int k = 0; k < kDepth; ++k)
      b[std::size_t(k) * product.columns + n] = float_of_bf16(product.b_seen[std::size_t(n) * kDepth + k]);
  for (int m = 0; m < kRows; ++m)
    for (int k = 0; k < kDepth; ++k) {
      const float a = float_of_bf16(product.a_seen[std::size_t(m) * kDepth + k]);
      const float* row = b.data() + std::size_t(k) * product.columns;
      float* out = result.data() + std::size_t(m) * product.columns;
      for (int n = 0; n < product.columns; ++n) out[n] += a * row[n];
    }
  return result;
}

/// Accumulator i of lane t: row 16 (t / 32) + t % 32 / 4, and 8 more for every second pair; columns in pairs, 8 apart, from
/// 2 (t % 4) on (PTX ISA, "Matrix Fragments for wgmma.mma_async.m64nNk16").
void finish(const Block& block, const Product& product) {
  if (read(block, product.a, kRows, false) != product.a_seen ||
      read(block, product.b, product.columns, product.b_across) != product.b_seen)
    throw std::logic_error("an operand of a product changed before the product was done");
  const std::vector<float> result = multiply(product);
  for (int lane = 0; lane < kWarpgroupLanes; ++lane)
    for (int i = 0; i < product.columns / 2; ++i) {
      const int row = lane / 32 * 16 + lane % 32 / 4 + (i & 2) * 4, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
      float& sum = product.sums[std::size_t(lane)][i];
      sum = (product.add ? sum : 0) + result[std::size_t(row) * product.columns + column];
    }
}

}  // namespace

std::uint32_t bf16_pair(float low, float high) { return bf16_of(low) | std::uint32_t(bf16_of(high)) << 16; }

void publish_writes() { current().published = true; }

void begin_products(const float* sums) { current().accumulators = sums; }

void begin_product(int columns, float* sums, std::uint64_t a, std::uint64_t b, bool b_across, bool add) {
  Lane& me = current();
  if (std::size_t(me.number / kWarpgroupLanes) >= me.block->warpgroups.size())
    throw std::logic_error("a product by less than a warpgroup");
  if (me.accumulators != sums) throw std::logic_error("a product on accumulators that no group of products began with");
  Product& asked = own_group(me).asked[std::size_t(me.number % kWarpgroupLanes)];
  asked.columns = columns;
  asked.a = a;
  asked.b = b;
  asked.b_across = b_across;
  asked.add = add;
  asked.sums[0] = sums;
  together([&](Warpgroup& group) {
    Product product = group.asked[0];
    for (std::size_t lane = 0; lane < kWarpgroupLanes; ++lane) {
      const Product& other = group.asked[lane];
      if (other.columns != columns || other.a != a || other.b != b || other.b_across != b_across || other.add != add)
        throw std::logic_error("lanes of a warpgroup ask for different products");
      product.sums[lane] = other.sums[0];
    }
    product.a_seen = read(*me.block, a, kRows, false);
    product.b_seen = read(*me.block, b, columns, b_across);
    group.begun.push_back(std::move(product));
  });
}

void commit_products() {
  together([](Warpgroup& group) {
    for (Product& product : group.begun) group.committed.push_back(std::move(product));
    group.begun.clear();
  });
}

void wait_for_products(const float* sums) {
  if (std::exchange(current().accumulators, nullptr) != sums)
    throw std::logic_error("waiting for products on other accumulators");
  together([](Warpgroup& group) {
    for (const Product& product : group.committed) finish(*current().block, product);
    group.committed.clear();
  });
}

}  // namespace mla::gpu::shim
