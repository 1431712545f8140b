// The matrix units' wrapper against plain products, with fragments filled as PTX documents them.
#include "gpu/kernels/matrix.cuh"

#include <cmath>

#include "tests/gpu/device_test.h"

namespace mla::gpu {
namespace {

enum class Unit { bf16, fp16, fp16_k8 };

/// d[16, 8] = c + a[16, n] · b[n, 8], one warp.
struct Multiply {
  static constexpr const char* kName = "multiply";
  static constexpr int kThreads = 32;
  struct Params {
    float* d;                    // [16, 8], c before
    const std::uint16_t *a, *b;  // [16, 16], [16, 8]
    Unit unit;
  };

  static std::uint32_t pair(const std::uint16_t* x, int low, int high) { return x[low] | std::uint32_t(x[high]) << 16; }

  static void run(const Params& p) {
    const int g = int(threadIdx.x) / 4, t = int(threadIdx.x) % 4;
    std::uint32_t a[4], b[2];
    for (int i = 0; i < 4; ++i) {
      const int at = (g + i % 2 * 8) * 16 + 2 * t + i / 2 * 8;
      a[i] = pair(p.a, at, at + 1);
    }
    for (int i = 0; i < 2; ++i) b[i] = pair(p.b, (2 * t + 8 * i) * 8 + g, (2 * t + 8 * i + 1) * 8 + g);
    float d[4];
    for (int i = 0; i < 4; ++i) d[i] = p.d[(g + i / 2 * 8) * 8 + 2 * t + i % 2];
    if (p.unit == Unit::bf16) multiply_bf16(d, a, b[0], b[1]);
    if (p.unit == Unit::fp16) multiply_fp16(d, a, b[0], b[1]);
    if (p.unit == Unit::fp16_k8) multiply_fp16_k8(d, a[0], a[1], b[0]);
    for (int i = 0; i < 4; ++i) p.d[(g + i / 2 * 8) * 8 + 2 * t + i % 2] = d[i];
  }
};

TEST(Matrix, MultipliesFragmentsAsTheyAreDocumented) {
  Stream stream;
  const auto a = testing::normal(16 * 16, 1), b = testing::normal(16 * 8, 2), c = testing::normal(16 * 8, 3);
  for (const Unit unit : {Unit::bf16, Unit::fp16, Unit::fp16_k8}) {
    const auto narrow = [&](const std::vector<float>& from) {
      std::vector<std::uint16_t> to;
      for (const float x : from) to.push_back(unit == Unit::bf16 ? bf16_of(x) : fp16_of(x));
      return to;
    };
    const auto wide = [&](std::uint16_t x) { return unit == Unit::bf16 ? float_of_bf16(x) : float_of_fp16(x); };
    const auto na = narrow(a), nb = narrow(b);
    const auto da = testing::to_device(stream, na), db = testing::to_device(stream, nb);
    const auto d = testing::to_device(stream, c);
    launch<Multiply>(stream, {1}, {d.data(), da.data(), db.data(), unit});
    const auto got = testing::to_host(stream, d);
    for (int y = 0; y < 16; ++y)
      for (int x = 0; x < 8; ++x) {
        double want = c[std::size_t(y) * 8 + x];
        for (int k = 0; k < (unit == Unit::fp16_k8 ? 8 : 16); ++k)
          want += double(wide(na[std::size_t(y) * 16 + k])) * wide(nb[std::size_t(k) * 8 + x]);
        EXPECT_NEAR(got[std::size_t(y) * 8 + x], want, 1e-5) << y << ", " << x;
      }
  }
}

/// What every lane gets of matrices whose value in row r, column c of matrix m is 64 m + 8 r + c.
struct LoadMatrices {
  static constexpr const char* kName = "load_matrices";
  static constexpr int kThreads = 32;
  struct Params {
    std::uint32_t* out;  // [10, 32]: four as they are, four transposed, a pair
  };
  static void run(const Params& p) {
    const int lane = int(threadIdx.x);
    unsigned char* row = shared_memory() + 16 * lane;
    for (int i = 0; i < 8; ++i) reinterpret_cast<std::uint16_t*>(row)[i] = std::uint16_t(8 * lane + i);
    sync_block();
    std::uint32_t plain[4], transposed[4], two[2];
    load_matrices(plain, row);
    load_matrices_transposed(transposed, row);
    load_matrix_pair(two, lane < 16 ? row : nullptr);
    for (int i = 0; i < 4; ++i) {
      p.out[32 * i + lane] = plain[i];
      p.out[32 * (4 + i) + lane] = transposed[i];
      if (i < 2) p.out[32 * (8 + i) + lane] = two[i];
    }
  }
};

TEST(Matrix, LoadsRowsOfMatricesIntoLanes) {
  Stream stream;
  Array<std::uint32_t> out(10 * 32);
  launch<LoadMatrices>(stream, {1}, {out.data()}, 512);
  const auto got = testing::to_host(stream, out);
  for (std::uint32_t i = 0; i < 10; ++i)
    for (std::uint32_t lane = 0; lane < 32; ++lane) {
      const std::uint32_t g = lane / 4, t = lane % 4, origin = 64 * (i % 4);
      const bool transposed = i / 4 == 1;
      const std::uint32_t low = transposed ? 16 * t + g : 8 * g + 2 * t, high = low + (transposed ? 8 : 1);
      EXPECT_EQ(got[32 * i + lane], (origin + low) | (origin + high) << 16) << i << ", lane " << lane;
    }
}

/// Copies 16 bytes a thread in two commits, and says what lies there after each wait.
struct CopyLater {
  static constexpr const char* kName = "copy_later";
  static constexpr int kThreads = 32;
  struct Params {
    const unsigned char* in;  // [3, 32, 16]
    float* out;               // [2, 3, 32]: after the first wait, after the second
  };
  static void run(const Params& p) {
    const int thread = int(threadIdx.x);
    unsigned char* shared = shared_memory();
    for (int i = 0; i < 3; ++i) {
      copy_16(shared + 512 * i + 16 * thread, p.in + 512 * i + 16 * thread, i < 2);
      if (i != 1) commit_copies();
    }
    const auto note = [&](int row) {
      for (int i = 0; i < 3; ++i)
        p.out[96 * row + 32 * i + thread] = *reinterpret_cast<const float*>(shared + 512 * i + 16 * thread);
    };
    wait_copies<1>();
    note(0);
    wait_copies<0>();
    note(1);
  }
};

TEST(Matrix, CopiesAreThereOnlyAfterTheirWait) {
  Stream stream;
  const auto in = testing::to_device(stream, std::vector<float>(3 * 128, 2.5f));
  Array<float> out(192);
  launch<CopyLater>(stream, {1}, {reinterpret_cast<const unsigned char*>(in.data()), out.data()}, 3 * 512);
  const auto got = testing::to_host(stream, out);
  for (std::size_t thread = 0; thread < 32; ++thread) {
    EXPECT_EQ(got[thread], 2.5f);
    EXPECT_TRUE(std::isnan(got[32 + thread])) << "a wait for the first commit is none for the second";
    EXPECT_TRUE(std::isnan(got[64 + thread]));
    EXPECT_EQ(got[96 + 32 + thread], 2.5f);
    EXPECT_EQ(got[96 + 64 + thread], 0.0f) << "what is not there is zero";
  }
}

TEST(Matrix, PacksTheFirstIntoTheLowHalf) {
  EXPECT_EQ(pack_bf16(1.0f, -2.0f), 0xc0003f80u);
  EXPECT_EQ(pack_fp16(1.0f, -2.0f), 0xc0003c00u);
}

}  // namespace
}  // namespace mla::gpu
