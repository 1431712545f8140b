#pragma once

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/weights.h"
#include "core/spec/model_spec.h"

namespace mla {

// The rank lens: what a trained model loses when each layer's keys and values have to come from k values a token.
//
// Keys and values are linear in what the layer normalises without its weight g: M x̂, with
//   MLA            M = kv_b_proj diag(g), g = kv_a_layernorm, x̂ the latent [c]: M is [H (n + v), c];
//   MHA, GQA, MQA  M = [k_proj; v_proj] diag(g), g = input_layernorm, x̂ the hidden state [d]: M is [2 G dh, d].
// Of all matrices of rank k the truncated singular value decomposition M_k = U_k S_k V_k^T is nearest to M in the Frobenius
// norm (Eckart and Young 1936): the best choice without data, as if x̂ had no preferred direction.

/// One layer's M as left · right. The first k columns of `left` and the first k rows of `right` make M_k.
struct LayerFactors {
  std::vector<double> energies;  ///< [rank] squares of the singular values, falling
  Weight left;                   ///< [outputs, rank]: U S, or U where M has fewer outputs than inputs (not MLA)
  Weight right;                  ///< [rank, inputs]: V^T, or S V^T there
  Weight query;                  ///< q_proj diag(g): MHA, GQA and MQA, whose norm goes without its weight once truncated
};

/// The decomposition of a model; with it any rank is a matter of copying (MLA) or of one product a layer (the others).
struct RankFactors {
  ModelSpec spec;  ///< of the model that was decomposed
  std::vector<LayerFactors> layers;
  /// The rank at which nothing is lost: kv_lora_rank, or min(2 G dh, d).
  int full_rank() const { return layers.front().right.rows; }
  /// Share of the squares of M's singular values that rank k keeps in one layer: 1 - |M - M_k|² / |M|².
  double energy_kept(int layer, int rank) const;
};

/// What truncated weights come from, so that another rank needs no second decomposition.
struct RankLens {
  std::shared_ptr<const ModelWeights> whole;
  std::shared_ptr<const RankFactors> factors;
};

/// Bytes that the factors of so many layers take, and the truncated weights with them.
std::int64_t lens_bytes(const ModelSpec& spec, int layers);

/// Decomposes every layer by the eigenvectors of the smaller Gram matrix of M, in double precision. A singular value below
/// 1e-8 of the largest is lost in rounding (fp32 weights carry no more either); |M - M_k|² is exact to about 1e-15 |M|². At
/// c = 512 and 32,768 outputs it takes seconds a layer on one core; at 2,048 (GQA of 8 groups of 128) a minute, between
/// whose stages alone it can be stopped. Refused: the tutorial's block, whose keys are the latent itself, and models that
/// are truncated already. Cancellation gives an Error with the message "cancelled".
Result<std::shared_ptr<const RankFactors>> factor_latent(const ModelSpec& spec, const ModelWeights& weights, int threads = 0,
                                                         const Progress& progress = {}, std::stop_token stop = {});

/// A model of lower rank that the engine runs like any other.
struct TruncatedModel {
  ModelSpec spec;
  std::shared_ptr<const ModelWeights> weights;
  int rank = 0;
  std::vector<double> energy_kept;  ///< [layers]
  /// Values a token and layer that such a model has to keep; see rank_note.
  int stored_values = 0;
};

/// MLA: kv_latent_proj = V_k^T, kv_b_proj = U_k S_k, kv_a_layernorm = 1. The cache then holds V_k^T x̂ (k values) and the
/// unchanged RoPE key on the paths that cache latents.
/// MHA, GQA, MQA: k_proj and v_proj are replaced by M_k. The engine's own cache keeps its size: it holds the keys and values
/// that k stored values give.
/// `weights` must be those that were decomposed; what does not change is shared with them.
Result<TruncatedModel> truncate_latent(const ModelWeights& weights, const RankFactors& factors, int rank, int threads = 0);

/// `whole` as the rank lens of `spec` leaves it; itself where there is none. Decomposes it first unless `previous` comes
/// from the same weights. The weights remember what they come from (ModelWeights::lens).
Result<std::shared_ptr<const ModelWeights>> apply_lens(std::shared_ptr<const ModelWeights> whole, const ModelSpec& spec,
                                                       const ModelWeights* previous, int threads = 0,
                                                       const Progress& progress = {}, std::stop_token stop = {});

/// Values that a truncated model keeps per token and layer: k + r for MLA, k for the others.
int stored_values(const ModelSpec& spec, int rank);

/// What the truncation of such a model measures and what it leaves out, as people should read it beside the numbers.
std::string rank_note(const ModelSpec& spec);

}  // namespace mla
