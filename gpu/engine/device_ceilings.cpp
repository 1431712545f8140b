#include "gpu/engine/device_ceilings.h"

#include <algorithm>

#include "gpu/ops/peak.h"

namespace mla::gpu {
namespace {

constexpr double kEnoughMs = 5, kAllMs = 60;  // of one launch, so that its begin does not count; of all
constexpr int kMostLaunches = 64;
constexpr std::int64_t kCopied = std::int64_t(512) << 20;

/// Units of work a second, 1e9, in the best of some launches of more and more rounds.
template <class Launch>
double best_rate(double work_of_a_round, const std::stop_token& stop, const Launch& launch) {
  Stream stream;
  const Event begin, end;
  double best = 0, spent = 0;
  int rounds = 1;
  for (int i = 0; i < kMostLaunches && spent < kAllMs && !stop.stop_requested(); ++i) {
    stream.record(begin);
    launch(stream, rounds);
    stream.record(end);
    stream.synchronize();
    const double ms = milliseconds_between(begin, end);
    best = std::max(best, work_of_a_round * rounds / ms / 1e6);
    spent += ms;
    if (ms < kEnoughMs) rounds *= 2;
  }
  return best;
}

/// Operations of the whole device a second, 1e9.
double loop_rate(const PeakLoop& loop, const DeviceFacts& device, const std::stop_token& stop) {
  const int blocks = device.multiprocessors * loop.resident;
  const Array<float> sums(std::size_t(blocks) * loop.threads);
  return best_rate(double(loop.operations) * blocks, stop,
                   [&](Stream& stream, int rounds) { loop.run(stream, blocks, rounds, 1, sums.data()); });
}

}  // namespace

double copy_rate(std::size_t bytes, const std::stop_token& stop) {
  const Memory from(bytes), to(bytes);
  Stream().zero(from.data(), bytes);
  return best_rate(2.0 * double(bytes), stop, [&](Stream& stream, int rounds) {
    for (int i = 0; i < rounds; ++i) stream.copy(to.data(), from.data(), bytes);
  });
}

Ceilings measure_ceilings(const DeviceFacts& device, const std::stop_token& stop) {
  Ceilings ceilings;
  ceilings.read_gb_s = copy_rate(std::size_t(std::min(kCopied, free_memory() / 32)), stop);
  ceilings.fp32_gflop_s = loop_rate(fp32_peak(), device, stop);
  for (const PeakLoop& loop : matrix_peaks(device))
    ceilings.bf16_gflop_s = std::max(ceilings.bf16_gflop_s, loop_rate(loop, device, stop));
  return ceilings;
}

}  // namespace mla::gpu
