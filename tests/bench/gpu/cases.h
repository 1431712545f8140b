#pragma once

#include <string>
#include <vector>

#include "core/spec/model_spec.h"
#include "gpu/ops/attention.h"

namespace mla::gpu::bench {

/// One absorbed decode of (576, 512), as DeepSeek-V2 and V3 have it.
struct Case {
  int batch = 1, heads = 128, tokens = 4096;
  CacheDtype dtype = CacheDtype::bf16;

  std::string name() const;
  /// Of the products: 2 (576 + 512) for each sequence, head and token.
  double operations() const;
  /// Cache rows, queries and outputs, each once.
  double bytes() const;
};

/// Batch 1, 32, 128 · 16, 32, 64, 128 heads · 4k, 32k tokens · bf16, fp8; `small` ones let the whole program be tried where
/// a device is slow.
std::vector<Case> all_cases(bool small);

/// What one case took.
struct Timing {
  std::string kernel;   ///< as LaunchLog names it
  std::string refusal;  ///< why it was not measured; empty where it was
  double ms = 0;        ///< median of one attention
  double low = 0, high = 0;
  int copies = 0;  ///< of the cache, used in turn
};

Timing measure(const DeviceFacts& device, const Case& c, bool small);

/// One decode step of the bundled model with the rows of all layers, in microseconds a layer; negative: could not run, see
/// `refusal`.
double bundled_step(std::string& refusal, bool small);

}  // namespace mla::gpu::bench
