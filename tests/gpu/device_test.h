#pragma once

#include <gtest/gtest.h>

#include <random>
#include <span>
#include <vector>

#include "gpu/runtime/runtime.h"

namespace mla::gpu::testing {

/// Under the sanitizers tests take the small cases.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

/// Whether a test takes the shape number `index` of `count` for the type number `type`: all of them, or under the sanitizers
/// one a type, so that types and shapes all have their turn.
inline bool has_turn(std::size_t index, std::size_t type, std::size_t count) {
  return !kSanitized || index % count == type % count;
}

/// For whole runs, which take minutes there; the kernels have tests of their own.
#if defined(__SANITIZE_THREAD__)
#define SKIP_UNDER_THREAD_SANITIZER() GTEST_SKIP() << "too long for the thread sanitizer"
#else
#define SKIP_UNDER_THREAD_SANITIZER() (void)0
#endif

/// A test that needs the device, the tests' own or a GPU; skipped with the reason where there is none.
class DeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Result<DeviceFacts> facts = find_device();
    if (!facts) GTEST_SKIP() << facts.error().message;
    facts_ = *facts;
  }

  DeviceFacts facts_;
};

template <class T>
Array<T> to_device(Stream& stream, const std::vector<T>& values) {
  Array<T> array(values.size());
  stream.to_device(array.data(), values.data(), array.bytes());
  stream.synchronize();
  return array;
}

template <class T>
std::vector<T> to_host(Stream& stream, const Array<T>& array) {
  std::vector<T> values(array.size());
  stream.to_host(values.data(), array.data(), array.bytes());
  stream.synchronize();
  return values;
}

/// Normal numbers, the same for the same seed.
inline std::vector<float> normal(std::size_t count, unsigned seed, float deviation = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, deviation);
  std::vector<float> values(count);
  for (float& value : values) value = distribution(random);
  return values;
}

}  // namespace mla::gpu::testing
