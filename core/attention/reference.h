#pragma once

#include <span>
#include <vector>

#include "core/model/weights.h"
#include "core/spec/model_spec.h"

namespace mla {

/// What a whole model does with some inputs, every intermediate value kept. Layers first, then heads; maps are [T, T] with 0
/// above the diagonal.
struct ReferenceOutput {
  std::vector<double> hidden;  ///< [T, d] after the last layer, before the final norm
  std::vector<double> logits;  ///< [T, vocab]; empty without a vocabulary
  std::vector<std::vector<std::vector<double>>> weights, scores_nope, scores_rope;  ///< [layers][heads][T T]
  std::vector<std::vector<double>>
      latents;  ///< [layers] [T, c + r]: latent after its norm, RoPE key after its rotation (MLA only)
};

/// The plain computation that the engine is tested against: double precision, no cache, keys and values of all tokens
/// expanded, one matrix product at a time. `inputs` [T, d] are embeddings or vectors; runs weights.layers.size() layers.
ReferenceOutput reference_forward(const ModelSpec& spec, const ModelWeights& weights, std::span<const float> inputs);

}  // namespace mla
