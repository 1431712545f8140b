#pragma once

#include <cstdint>
#include <span>

#include "core/spec/experiment.h"

namespace mla {

/// Chooses tokens from logits; the sequence of choices depends on the seed alone.
class Sampler {
 public:
  Sampler(Sampling sampling, std::uint64_t seed) : sampling_(sampling), seed_(seed) {}
  /// A token id in [0, logits.size()). Greedy at temperature 0 (the lowest id wins ties).
  int choose(std::span<const float> logits);

 private:
  Sampling sampling_;
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

}  // namespace mla
