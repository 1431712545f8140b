#pragma once

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// core/model/sampler.h's Draw as a kernel reads it.
struct DeviceDraw {
  double temperature = 0, top_p = 1, at = 0;
  int top_k = 0;
  int unused = 0;  ///< whole bytes, all written
};

/// tokens[batch] from logits [batch, vocab]: the ids that core/model/sampler.h chooses. All on the device; `weights` is room
/// for [batch, vocab] values.
struct TokenChoice {
  const float* logits = nullptr;
  const DeviceDraw* draws = nullptr;
  double* weights = nullptr;
  int* tokens = nullptr;
  int batch = 1, vocab = 0;
};
void choose_tokens(Stream& stream, const TokenChoice& choice);

}  // namespace mla::gpu
