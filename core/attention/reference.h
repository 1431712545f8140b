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

/// What the scores of one head are made of, before any scale: rows are positions.
struct ReferenceHead {
  std::vector<double> q_nope;  ///< [T, n]
  std::vector<double> q_rope;  ///< [T, r] after its rotation
  std::vector<double> k_nope;  ///< [T, n]
  std::vector<double> k_rope;  ///< [T, r] after its rotation
};

/// One layer's queries and keys. MLA: the latents that its keys come from too, [T, c] as they are cached.
struct ReferenceLayer {
  std::vector<ReferenceHead> heads;
  std::vector<double> latents;
};

/// The same computation up to the scores of one layer, from what the layer before left: `hidden` [T, d], not yet normalised.
ReferenceLayer reference_layer(const ModelSpec& spec, const LayerWeights& layer, std::span<const float> hidden);

/// Turns the pairs (2i, 2i+1) of every row of x [T, width] by the angles of its index; of an odd width the last column
/// stays.
void reference_rotate(const RopeSpec& rope, int width, std::vector<double>& x);

}  // namespace mla
