// The tests' own device: what it must notice.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "gpu/kernels/reduce.cuh"
#include "tests/gpu/device_test.h"

namespace mla::gpu {
namespace {

/// Every thread adds what the thread behind it in the block brought along.
struct Rotate {
  static constexpr const char* kName = "rotate";
  static constexpr int kThreads = 96;
  struct Params {
    float* out;
    bool wait;
  };
  static void run(const Params& p) {
    float* shared = reinterpret_cast<float*>(shared_memory());
    shared[threadIdx.x] = float(threadIdx.x);
    if (p.wait) sync_block();
    p.out[blockIdx.x * kThreads + threadIdx.x] = shared[(threadIdx.x + 1) % kThreads];
  }
};

struct HalfWaits {
  static constexpr const char* kName = "half_waits";
  static constexpr int kThreads = 64;
  struct Params {};
  static void run(const Params&) {
    if (threadIdx.x < 32) sync_block();
  }
};

struct WarpSums {
  static constexpr const char* kName = "warp_sums";
  static constexpr int kThreads = 64;
  struct Params {
    float* out;
  };
  static void run(const Params& p) { p.out[threadIdx.x] = warp_sum(float(threadIdx.x)); }
};

TEST(Shim, ABarrierMakesWritesSeen) {
  Stream stream;
  Array<float> out(2 * 96);
  launch<Rotate>(stream, {2}, {out.data(), true}, 96 * sizeof(float));
  const auto got = testing::to_host(stream, out);
  for (int i = 0; i < 192; ++i) EXPECT_EQ(got[std::size_t(i)], float((i + 1) % 96));
}

float first_without_barrier() {
  Stream stream;
  Array<float> out(96);
  launch<Rotate>(stream, {1}, {out.data(), false}, 96 * sizeof(float));
  return testing::to_host(stream, out)[0];
}

#if defined(__SANITIZE_THREAD__)
TEST(Shim, AMissingBarrierIsARace) {
  constexpr int kRaced = 66;  // the sanitizer's own status for a program with reports
  const auto run = [] { std::exit(int(first_without_barrier() == 0)); };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(kRaced), "data race");
}
#else
TEST(Shim, AMissingBarrierShowsAsNan) { EXPECT_TRUE(std::isnan(first_without_barrier())); }
#endif

TEST(Shim, ABarrierThatSomeNeverReachIsAnError) {
  Stream stream;
  EXPECT_THROW(launch<HalfWaits>(stream, {1}, {}), std::logic_error);
  Array<float> out(96);  // and the next launch is not disturbed
  launch<Rotate>(stream, {1}, {out.data(), true}, 96 * sizeof(float));
  EXPECT_EQ(testing::to_host(stream, out)[3], 4);
}

TEST(Shim, LanesExchangeWithinTheirWarp) {
  Stream stream;
  Array<float> out(64);
  launch<WarpSums>(stream, {1}, {out.data()});
  const auto got = testing::to_host(stream, out);
  EXPECT_EQ(got[5], 31 * 32 / 2);
  EXPECT_EQ(got[40], 31 * 32 / 2 + 32 * 32);
}

TEST(Shim, AGraphIsRunWhenItIsLaunched) {
  Stream stream;
  Array<float> out(64), other(64);
  launch<WarpSums>(stream, {1}, {other.data()});
  LaunchLog log;
  stream.begin_capture();
  launch<WarpSums>(stream, {1}, {out.data()});
  const Graph graph = stream.end_capture();
  EXPECT_TRUE(std::isnan(testing::to_host(stream, out)[0]));
  stream.launch(graph);
  EXPECT_EQ(testing::to_host(stream, out)[0], 496);
  EXPECT_EQ(log.names(), std::vector<std::string>{"warp_sums"});
}

struct NeverLaunched : WarpSums {
  static constexpr const char* kName = "never_launched";
};

TEST(Shim, WhatMightWaitForAllStreamsIsRefusedInACapture) {
  Stream stream;
  const Event event;
  const auto in_capture = [&](const auto& what) {
    stream.begin_capture();
    EXPECT_THROW(what(), Failure);
    stream.cancel_capture();
  };
  in_capture([] { Memory memory(1); });
  in_capture([] { Pinned memory(1); });
  in_capture([&] { stream.synchronize(); });
  in_capture([&] { launch<NeverLaunched>(stream, {1}, {nullptr}); });
  in_capture([&] {
    stream.record(event);
    event.synchronize();
  });
  EXPECT_NO_THROW(Memory(1));
}

}  // namespace
}  // namespace mla::gpu
