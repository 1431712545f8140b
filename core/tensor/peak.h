#pragma once

#include <cstddef>
#include <cstdint>

namespace mla {

/// Loops that do nothing but one kind of work, for measuring what a processor can do. `run` does at least `rounds` rounds
/// and returns a value that depends on all of them, so that none can be left out.
struct PeakLoop {
  float (*run)(std::int64_t rounds) = nullptr;  ///< null where the processor lacks the instruction
  std::int64_t operations_per_round = 0;
};

PeakLoop fp32_peak();
PeakLoop bf16_peak();
PeakLoop int8_peak();

/// Reads `n` floats (n a multiple of 256) and returns their sum.
float read_all(const float* data, std::size_t n);

}  // namespace mla
