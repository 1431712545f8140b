#pragma once

#include <cstdint>
#include <span>

#include "core/spec/experiment.h"

namespace mla {

/// How one token is to be chosen.
struct Draw {
  Sampling sampling;
  double at = 0;  ///< in [0, 1): the share of the weights, likeliest first, at which it lies; unused at temperature 0
};

/// A token id in [0, logits.size()). Greedy at temperature 0 (the lowest id wins ties).
int choose(const Draw& draw, std::span<const float> logits);

/// Chooses tokens from logits; the sequence of choices depends on the seed alone.
class Sampler {
 public:
  Sampler(Sampling sampling, std::uint64_t seed) : sampling_(sampling), seed_(seed) {}
  /// The next choice, for whoever has the logits.
  Draw next();
  int choose(std::span<const float> logits) { return mla::choose(next(), logits); }

 private:
  Sampling sampling_;
  std::uint64_t seed_;
  std::uint64_t draws_ = 0;
};

}  // namespace mla
