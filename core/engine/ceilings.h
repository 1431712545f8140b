#pragma once

#include <cstdint>
#include <stop_token>

namespace mla {

/// What a device can do, as its backend measures it. 0: not measured, or the device has no such thing.
struct Ceilings {
  double read_gb_s = 0;           ///< bytes from memory, 1e9; of a GPU read and written by a copy within its memory
  double cached_read_gb_s = 0;    ///< bytes from the last-level cache, 1e9
  std::int64_t cached_bytes = 0;  ///< what that cache keeps from one step to the next; 0 where its size is not known
  double fp32_gflop_s = 0;
  double bf16_gflop_s = 0;  ///< of products of bf16 pairs; of a GPU those of its matrix units, in bf16 or fp16
  double int8_gop_s = 0;
  int threads = 0;  ///< of the processor

  bool measured() const { return read_gb_s > 0 && fp32_gflop_s > 0; }
};

/// Of two measurements of one device the better of each figure: something else may have kept it busy. Size of the cache and
/// threads are the second's.
Ceilings higher_of(const Ceilings& a, const Ceilings& b);

/// Measures what the processor can do with that many threads (0: all cores): bytes read from memory and multiply-adds per
/// second, the best of several rounds of each. Takes about a second and 256 MiB. Figures are zero where the processor lacks
/// the instruction, or when stopped.
Ceilings measure_cpu_ceilings(int threads, std::stop_token stop = {});

}  // namespace mla
