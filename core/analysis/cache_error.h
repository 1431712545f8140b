#pragma once

#include <span>
#include <stop_token>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

/// What a cache's precision changes, against the same decode with an fp32 cache on the same tokens.
struct CacheError {
  CacheDtype dtype = CacheDtype::fp32;
  int tokens = 0;                ///< decoded one by one
  double attention_largest = 0;  ///< absolute, of attention weights (0 to 1), all layers and heads
  double attention_mean = 0;     ///< of all pairs that attend
  double output_largest = 0;     ///< of the outputs (logits, or hidden states), as a part of their root mean square
  double output_mean = 0;        ///< mean of absolute differences, likewise
};

/// Decodes the tokens (-1 each where vectors are fed) one by one with both caches, each from its start, and compares every
/// attention row and output of sequence 0. Errors: not enough memory, cancelled.
Result<CacheError> measure_cache_error(const LoadedModel& model, std::span<const int> tokens, ComputeBackend& backend,
                                       const Progress& progress = {}, std::stop_token stop = {});

}  // namespace mla
