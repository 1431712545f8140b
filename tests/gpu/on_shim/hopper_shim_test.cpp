// gpu/kernels/hopper.cuh on the tests' own device: what its products and copies give, and what must not go unnoticed.
#include <gtest/gtest.h>

#include <cmath>

#include "gpu/kernels/hopper.cuh"
#include "gpu/kernels/numbers.cuh"
#include "tests/gpu/device_test.h"

namespace mla::gpu {
namespace {

using testing::normal;
using testing::to_device;
using testing::to_host;

enum class Misuse { none, no_wait, changed_operand, different_lanes, no_swizzle, not_published, not_begun };

/// The tiles [64 rows, 64 columns] of `a` and `b` in shared memory, row by row on the device.
MLA_DEVICE void load_tile(unsigned char* tile, const std::uint16_t* values) {
  for (int i = int(threadIdx.x); i < 64 * 64; i += kWarpgroup) {
    const int row = i / 64, column = i % 64;
    const int at = row * 128 + ((column / 8) ^ (row % 8)) * 16 + column % 8 * 2;
    *reinterpret_cast<std::uint16_t*>(tile + at) = values[i];
  }
}

/// out [64, 32] = a [64, 64] b [32, 64]ᵀ, b being the rows from `row` on of its tile; on top of what is there where asked.
struct MultiplyRows {
  static constexpr const char* kName = "multiply_rows";
  static constexpr int kThreads = kWarpgroup;
  struct Params {
    float* out;
    const std::uint16_t *a, *b;
    int row;
    bool add;
    Misuse misuse;
  };

  static void run(const Params& p) {
    unsigned char* shared = shared_memory();
    load_tile(shared, p.a);
    load_tile(shared + kTileBytes, p.b);
    if (p.misuse != Misuse::not_published || threadIdx.x != 77) publish_shared();
    sync_block();
    float d[16], other[16];
    for (float& value : d) value = 1000;
    std::uint64_t a = rows_operand(shared), b = rows_operand(shared + kTileBytes + p.row * 128);
    if (p.misuse == Misuse::different_lanes && threadIdx.x == 77) a = later(a, kRowsStep);
    if (p.misuse == Misuse::no_swizzle) b &= ~(3ull << 62);
    products_begin(p.misuse == Misuse::not_begun ? other : d);
    for (int step = 0; step < 4; ++step)
      product_of_rows(d, later(a, step * kRowsStep), later(b, step * kRowsStep), p.add || step > 0);
    products_commit();
    if (p.misuse == Misuse::changed_operand && threadIdx.x == 0) shared[kTileBytes + p.row * 128] ^= 1;
    if (p.misuse != Misuse::no_wait) products_wait(d);
    for (int i = 0; i < 16; ++i) {
      const int thread = int(threadIdx.x);
      p.out[fragment_row(thread, i) * 32 + fragment_column(thread, i)] = d[i];
    }
    if (p.misuse == Misuse::no_wait) products_wait(d);
  }
};

/// out [64, 256] = a [64, 64] b [64, 256], b being four tiles of 64 columns.
struct MultiplyColumns {
  static constexpr const char* kName = "multiply_columns";
  static constexpr int kThreads = kWarpgroup;
  struct Params {
    float* out;
    const std::uint16_t *a, *b;
  };

  static void run(const Params& p) {
    unsigned char* shared = shared_memory();
    load_tile(shared, p.a);
    for (int tile = 0; tile < 4; ++tile) load_tile(shared + (1 + tile) * kTileBytes, p.b + tile * 64 * 64);
    publish_shared();
    sync_block();
    float d[128] = {};
    products_begin(d);
    for (int step = 0; step < 4; ++step)
      product_of_columns(d, later(rows_operand(shared), step * kRowsStep),
                         later(columns_operand(shared + kTileBytes), step * kColumnsStep));
    products_commit();
    products_wait(d);
    for (int i = 0; i < 128; ++i) {
      const int thread = int(threadIdx.x);
      p.out[fragment_row(thread, i) * 256 + fragment_column(thread, i)] = d[i];
    }
  }
};

std::vector<std::uint16_t> tiles(int count, unsigned seed) {
  std::vector<std::uint16_t> values;
  for (const float value : normal(std::size_t(count) * 64 * 64, seed)) values.push_back(bf16_of(value));
  return values;
}

double at(const std::vector<std::uint16_t>& tile, int row, int column) {
  return float_of_bf16(tile[std::size_t(row / 64) * 64 * 64 + std::size_t(row % 64) * 64 + std::size_t(column)]);
}

std::vector<float> multiply_rows(int row, bool add, Misuse misuse = Misuse::none) {
  Stream stream;
  const auto a = to_device(stream, tiles(1, 1)), b = to_device(stream, tiles(1, 2));
  Array<float> out(64 * 32);
  launch<MultiplyRows>(stream, {}, {out.data(), a.data(), b.data(), row, add, misuse}, 2 * kTileBytes);
  return to_host(stream, out);
}

TEST(HopperShim, RowsTimesRows) {
  const auto a = tiles(1, 1), b = tiles(1, 2);
  for (const int row : {0, 32})
    for (const bool add : {false, true}) {
      const std::vector<float> got = multiply_rows(row, add);
      for (int m = 0; m < 64; ++m)
        for (int n = 0; n < 32; ++n) {
          double want = add ? 1000 : 0;
          for (int k = 0; k < 64; ++k) want += at(a, m, k) * at(b, row + n, k);
          ASSERT_NEAR(got[std::size_t(m) * 32 + n], want, 1e-3) << m << " " << n;
        }
    }
}

TEST(HopperShim, RowsTimesColumns) {
  Stream stream;
  const auto a = tiles(1, 3), b = tiles(4, 4);
  const auto device_a = to_device(stream, a), device_b = to_device(stream, b);
  Array<float> out(64 * 256);
  launch<MultiplyColumns>(stream, {}, {out.data(), device_a.data(), device_b.data()}, 5 * kTileBytes);
  const std::vector<float> got = to_host(stream, out);
  for (int m = 0; m < 64; ++m)
    for (int n = 0; n < 256; ++n) {
      double want = 0;
      for (int k = 0; k < 64; ++k) want += at(a, m, k) * at(b, n / 64 * 64 + k, n % 64);
      ASSERT_NEAR(got[std::size_t(m) * 256 + n], want, 1e-4) << m << " " << n;
    }
}

/// A thread has two stages of 64 bytes filled again and again, another adds them up.
struct SumPages {
  static constexpr const char* kName = "sum_pages";
  static constexpr int kThreads = 64, kPages = 7, kStages = 2, kFloats = 16;
  struct Params {
    float* out;  ///< what lay there when it was asked for, what came, for each page
    const float* in;
  };

  static void run(const Params& p) {
    float* stages = reinterpret_cast<float*>(shared_memory());
    std::uint64_t* full = reinterpret_cast<std::uint64_t*>(stages + kStages * kFloats);
    std::uint64_t* empty = full + kStages;
    if (threadIdx.x == 0) {
      for (int i = 0; i < kStages; ++i) {
        barrier_init(full + i, 1);
        barrier_init(empty + i, 1);
      }
      barriers_ready();
    }
    sync_block();
    for (int i = 0; i < kPages; ++i) {
      float* stage = stages + i % kStages * kFloats;
      if (threadIdx.x == 32) {
        if (i >= kStages) barrier_wait(empty + i % kStages, (i / kStages - 1) % 2);
        barrier_expect(full + i % kStages, kFloats * 4);
        bulk_copy(stage, p.in + i * kFloats, kFloats * 4, full + i % kStages);
        p.out[2 * i] = stage[3];
      } else if (threadIdx.x == 0) {
        barrier_wait(full + i % kStages, i / kStages % 2);
        float sum = 0;
        for (int k = 0; k < kFloats; ++k) sum += stage[k];
        p.out[2 * i + 1] = sum;
        barrier_arrive(empty + i % kStages);
      }
    }
  }
};

TEST(HopperShim, BulkCopiesComeWhenTheyAreWaitedFor) {
  Stream stream;
  std::vector<float> in(SumPages::kPages * SumPages::kFloats);
  for (std::size_t i = 0; i < in.size(); ++i) in[i] = float(i);
  const auto device_in = to_device(stream, in);
  Array<float> out(2 * SumPages::kPages);
  launch<SumPages>(stream, {}, {out.data(), device_in.data()}, SumPages::kStages * (SumPages::kFloats * 4 + 16));
  const std::vector<float> got = to_host(stream, out);
  for (int page = 0; page < SumPages::kPages; ++page) {
    EXPECT_TRUE(std::isnan(got[2 * std::size_t(page)])) << "before anybody waited for page " << page;
    EXPECT_EQ(got[2 * std::size_t(page) + 1], float(16 * 16 * page + 120));
  }
}

TEST(HopperShim, AProductIsNotThereBeforeItIsWaitedFor) {
  EXPECT_EQ(multiply_rows(0, true, Misuse::no_wait), std::vector<float>(64 * 32, 1000.0f));
}

TEST(HopperShim, MisusedProductsAreErrors) {
  for (const Misuse misuse :
       {Misuse::changed_operand, Misuse::different_lanes, Misuse::no_swizzle, Misuse::not_published, Misuse::not_begun})
    EXPECT_THROW(multiply_rows(0, false, misuse), std::logic_error) << int(misuse);
}

struct ArriveTooOften {
  static constexpr const char* kName = "arrive_too_often";
  static constexpr int kThreads = 32;
  struct Params {
    int times;
  };
  static void run(const Params& p) {
    std::uint64_t* barrier = reinterpret_cast<std::uint64_t*>(shared_memory());
    if (threadIdx.x != 0) return;
    barrier_init(barrier, 1);
    for (int i = 0; i < p.times; ++i) barrier_expect(barrier, 16);
    if (p.times == 0) barrier_wait(barrier, 0);
  }
};

TEST(HopperShim, MisusedBarriersAreErrors) {
  Stream stream;
  EXPECT_NO_THROW(launch<ArriveTooOften>(stream, {}, {1}, 16));
  EXPECT_THROW(launch<ArriveTooOften>(stream, {}, {2}, 16), std::logic_error);
  EXPECT_THROW(launch<ArriveTooOften>(stream, {}, {0}, 16), std::logic_error) << "nobody arrives";
}

}  // namespace
}  // namespace mla::gpu
