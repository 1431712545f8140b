#pragma once

#include <span>
#include <stop_token>
#include <vector>

#include "core/engine/backend.h"
#include "core/engine/run.h"

namespace mla {

// Why MLA keeps a RoPE key of its own. R_i turns a vector by the angles of position i, R_i^T R_j = R_(j - i).
//
// Decoupled, as the model is, the NoPE part of a score is q_i^T (W_UK c_j). Where the brackets stand does not matter:
//   expanded   q_i^T (W_UK c_j)      a key for every head and cached token
//   absorbed   (q_i^T W_UK) c_j      one folded query, and the latents as they are cached
//
// Coupled, as in plain MHA, the same columns are rotated after the up-projection. The score becomes
//   expanded   (R_i q_i)^T (R_j W_UK c_j) = q_i^T R_(j - i) W_UK c_j
// R_(j - i) stands between the query and W_UK and depends on j: it commutes with W_UK for no general W_UK, so that an exact
// folded query would have to be made anew for every cached token, which is expanding again. What absorption can do without
// knowing j is to rotate the query, as before, and to fold W_UK with the key unrotated:
//   absorbed   ((R_i q_i)^T W_UK) c_j
// It is right for j = 0 alone, where R_j = 1.

/// One head's scaled scores in both forms, the RoPE part of the head added to both. Maps are [tokens, tokens], 0 above the
/// diagonal.
struct ScoreForms {
  std::vector<float> expanded, absorbed;
  std::vector<float> expanded_weights, absorbed_weights;  ///< after the softmax
  double largest = 0;                                     ///< largest difference of the scores over all pairs that attend
  double mean = 0;                                        ///< mean absolute difference over them
  double largest_weight = 0;                              ///< largest difference after the softmax
};

struct CoupledHead {
  ScoreForms decoupled, coupled;
};

/// The experiment on one layer. Computed in double precision: decoupled, both forms agree to about 1e-15 of their range.
struct CoupledRope {
  int layer = 0;
  int tokens = 0;
  int rotated = 0;  ///< columns of a head that were rotated as well: the even part of qk_nope_head_dim
  std::vector<CoupledHead> heads;
  /// Over all heads.
  double largest_decoupled() const;
  double largest_coupled() const;
  /// The head whose coupled forms differ most.
  int worst_head() const;
};

/// What enters layer `layer` when the engine runs the model on the tokens: [tokens, hidden_size], before the layer's norm.
Result<std::vector<float>> layer_input(const LoadedModel& model, int layer, std::span<const int> tokens,
                                       ComputeBackend& backend, std::stop_token stop = {});

/// Both forms, decoupled and coupled with the model's own rotation (theta, YaRN) over the NoPE columns of queries and keys,
/// from what enters the layer. For MLA with at least two NoPE columns.
Result<CoupledRope> couple_rope(const LoadedModel& model, int layer, std::span<const float> hidden);

/// layer_input, then couple_rope. Memory: 32 bytes a head and pair of tokens.
Result<CoupledRope> coupled_rope(const LoadedModel& model, int layer, std::span<const int> tokens, ComputeBackend& backend,
                                 std::stop_token stop = {});

}  // namespace mla
