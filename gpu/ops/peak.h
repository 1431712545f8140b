#pragma once

#include <vector>

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// What the kernels take.
struct PeakParams {
  float* sums;  ///< [blocks, threads], of each thread all of its own together
  int rounds;
  float x;  ///< what is added again and again
};

/// A kernel that does nothing but one kind of work.
struct PeakLoop {
  const char* name = nullptr;   ///< in the LaunchLog
  int threads = 0;              ///< of a block
  int resident = 1;             ///< blocks that fill a multiprocessor
  std::int64_t operations = 0;  ///< of a block in a round
  float per_round = 0;          ///< what a round adds to a thread's sum, where x is 1
  /// sums [blocks, threads]: what every thread has added up in so many rounds.
  void (*run)(Stream& stream, int blocks, int rounds, float x, float* sums) = nullptr;
};

/// Multiply-adds of fp32.
PeakLoop fp32_peak();

/// Products of 16-bit factors with fp32 sums by the matrix units, in every way in which this device's attention kernels have
/// them multiply.
std::vector<PeakLoop> matrix_peaks(const DeviceFacts& device);

/// The one by warpgroups, of compute capability 9.0.
PeakLoop warpgroup_peak();

}  // namespace mla::gpu
