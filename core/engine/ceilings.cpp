#include "core/engine/ceilings.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <fstream>
#include <new>

#include "core/tensor/buffer.h"
#include "core/tensor/peak.h"
#include "core/tensor/thread_pool.h"

namespace mla {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

constexpr std::size_t kReadBytes = std::size_t(256) << 20;

// Where results go, so that no compiler can see that nobody wants them.
std::atomic<float> sink{0};

/// Operations per second of all threads together, 1e9: the best of some rounds of about 20 ms.
double peak_rate(const PeakLoop& loop, ThreadPool& pool, const std::stop_token& stop) {
  if (!loop.run) return 0;
  std::int64_t rounds = 1 << 14;
  double best = 0;
  for (int i = 0; i < 10 && !stop.stop_requested(); ++i) {
    const auto start = Clock::now();
    pool.run(pool.threads(), [&](int, int) { sink.store(loop.run(rounds), std::memory_order_relaxed); });
    const double seconds = seconds_since(start);
    best = std::max(best, double(loop.operations_per_round) * double(rounds) * pool.threads() / seconds / 1e9);
    if (seconds < 0.015) rounds *= 2;
  }
  return best;
}

/// Bytes read per second, 1e9: the best of some passes over that much memory.
double read_rate(ThreadPool& pool, std::size_t bytes, const std::stop_token& stop) {
  const int slices = 16 * pool.threads();
  const std::size_t slice = bytes / 4 / slices / 256 * 256;  // floats
  try {
    Buffer<float> data(slice * slices);
    // The first touch of so much memory takes longest, and whoever stops this waits for it.
    pool.run(slices, [&](int item, int) {
      if (!stop.stop_requested()) std::fill_n(data.data() + item * slice, slice, 1.0f);
    });
    const int passes = int(std::clamp<std::size_t>((3ull << 30) / bytes, 12, 400));
    double best = 0;
    for (int i = 0; i < passes && !stop.stop_requested(); ++i) {
      const auto start = Clock::now();
      pool.run(slices,
               [&](int item, int) { sink.store(read_all(data.data() + item * slice, slice), std::memory_order_relaxed); });
      best = std::max(best, double(data.bytes()) / seconds_since(start) / 1e9);
    }
    return best;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

/// Size of the third-level cache that the first core uses; 0 where Linux does not tell. (sysconf counts a whole socket's.)
std::int64_t last_level_cache_bytes() {
  std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index3/size");
  std::int64_t kib = 0;
  char unit = 0;
  return file >> kib >> unit && unit == 'K' ? kib << 10 : 0;
}

}  // namespace

Ceilings higher_of(const Ceilings& a, const Ceilings& b) {
  Ceilings higher = b;
  higher.read_gb_s = std::max(a.read_gb_s, b.read_gb_s);
  higher.cached_read_gb_s = std::max(a.cached_read_gb_s, b.cached_read_gb_s);
  higher.fp32_gflop_s = std::max(a.fp32_gflop_s, b.fp32_gflop_s);
  higher.bf16_gflop_s = std::max(a.bf16_gflop_s, b.bf16_gflop_s);
  higher.int8_gop_s = std::max(a.int8_gop_s, b.int8_gop_s);
  return higher;
}

Ceilings measure_cpu_ceilings(int threads, std::stop_token stop) {
  ThreadPool pool(threads > 0 ? threads : default_threads());
  Ceilings ceilings;
  ceilings.threads = pool.threads();
  ceilings.read_gb_s = read_rate(pool, kReadBytes, stop);
  ceilings.cached_bytes = last_level_cache_bytes();
  if (ceilings.cached_bytes > 0) ceilings.cached_read_gb_s = read_rate(pool, std::size_t(ceilings.cached_bytes) / 2, stop);
  ceilings.fp32_gflop_s = peak_rate(fp32_peak(), pool, stop);
  ceilings.bf16_gflop_s = peak_rate(bf16_peak(), pool, stop);
  ceilings.int8_gop_s = peak_rate(int8_peak(), pool, stop);
  return ceilings;
}

}  // namespace mla
