#pragma once

#include <cassert>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "core/model/narrow_matrix.h"
#include "core/spec/experiment.h"
#include "core/spec/parameters.h"
#include "core/tensor/buffer.h"

namespace mla {

/// A weight matrix [rows, cols], row-major (rows = outputs), shared between models that agree on it: fp32, or held in a
/// narrower type. A checkpoint's values are converted when they are first used.
struct Weight {
  std::string name;  ///< as in the checkpoint
  int rows = 0;
  int cols = 0;
  WeightValues values;           ///< not set where `narrow` is
  std::uint64_t random_key = 0;  ///< identifies random values: equal keys, equal values; 0 where they were loaded
  NarrowValues narrow = {};
  WeightsDtype dtype = WeightsDtype::stored;  ///< of `narrow`

  explicit operator bool() const { return values || narrow; }
  bool same_as(const Weight& other) const { return values == other.values && narrow == other.narrow; }
  /// Tells the values apart from those of other weights, while a handle of them exists.
  const void* id() const { return narrow ? narrow.id() : values.id(); }
  /// Whether the values are in memory by now; make() brings them there. Throws std::bad_alloc.
  bool made() const { return narrow ? narrow.made() : values.made(); }
  void make() const { narrow ? void(*narrow) : void(*values); }
  /// fp32 values; for weights that are not narrow.
  const float* data() const {
    assert(!narrow);
    return values->data();
  }
  /// Rows [first, first + count) as fp32: the values themselves, or filled into `scratch` [count, cols].
  const float* read(const Kernels& kernels, int first, int count, float* scratch) const;
  std::int64_t row_bytes() const { return weight_row_bytes(narrow ? dtype : WeightsDtype::stored, cols); }
  std::int64_t bytes() const { return rows * row_bytes(); }
};

/// Ends the name of a tensor that is a part of the one it is named after.
inline constexpr const char* kPartSuffix = " (part)";
inline bool is_part(const Weight& weight) { return weight.name.ends_with(kPartSuffix); }

/// A projection with an optional bias [rows].
struct Linear {
  Weight weight;
  Weight bias;
};

/// One attention layer; which members are set depends on the variant and the block.
struct AttentionWeights {
  Linear q_proj;          ///< [H (n+r), d], or the toy's W_qk [H c, cq]
  Linear q_a_proj;        ///< [cq, d]; the toy's Wq_d
  Weight q_a_layernorm;   ///< [cq]
  Linear q_b_proj;        ///< [H (n+r), cq]
  Linear kv_a_proj;       ///< [c+r, d]; the toy's Wkv_d [c, d]; c + r with the trained c where kv_latent_proj is set
  Weight kv_a_layernorm;  ///< [c], likewise
  Weight kv_latent_proj;  ///< [c, trained c], applied to the normed latent before it is cached (rank lens); mostly not set
  Linear kv_b_proj;       ///< [H (n+v), c]; the toy's Wv_u [H v, c]
  Linear k_proj;          ///< [G dh, d]: MHA, GQA, MQA
  Linear v_proj;          ///< [G dh, d]
  Linear o_proj;          ///< [d, H v]
};

/// One SwiGLU feed-forward: an expert, or the shared experts side by side.
struct ExpertWeights {
  Linear gate_proj;  ///< [f, d]
  Linear up_proj;    ///< [f, d]
  Linear down_proj;  ///< [d, f]
};

/// The mixture of experts of one layer.
struct MoeWeights {
  Linear gate;                     ///< [n_routed_experts, d]
  Weight e_score_correction_bias;  ///< [n_routed_experts], for selection only
  std::vector<ExpertWeights> experts;
  ExpertWeights shared_experts;  ///< f = n_shared_experts moe_intermediate_size
};

struct LayerWeights {
  Weight input_norm;  ///< RMSNorm before attention; the toy's norm1
  Weight input_norm_bias;
  AttentionWeights attention;
  Weight post_norm;  ///< RMSNorm before the feed-forward; the toy's norm2
  Weight post_norm_bias;
  Linear gate_proj;  ///< [f, d]; the toy's ff.0
  Linear up_proj;    ///< [f, d]
  Linear down_proj;  ///< [d, f]; the toy's ff.2
  MoeWeights moe;    ///< instead of those three, where ModelSpec::is_moe_layer
};

struct RankLens;

struct ModelWeights {
  Weight embed_tokens;  ///< [vocab, d]
  std::vector<LayerWeights> layers;
  Weight norm;          ///< [d]
  Weight lm_head;       ///< [vocab, d]; the embedding where they are tied
  bool random = false;  ///< made by build_weights: attention content means nothing
  std::string files;    ///< identifies the files of a checkpoint as they were when it was opened; empty: none
  std::shared_ptr<const RankLens> lens;  ///< where these were cut by the rank lens: what they were cut from
  std::int64_t bytes() const;            ///< of all tensors, in the types in which they are held
  std::int64_t held_bytes() const;       ///< of those that are in memory by now
};

/// Calls `visit` for every weight that is set, the embedding only once where the head is tied to it.
void for_each_weight(const ModelWeights& model, const std::function<void(const Weight&)>& visit);

/// Called with the fraction done, from the calling thread.
using Progress = std::function<void(double)>;

/// Random weights for the experiment's shape, from its seed alone: the same whatever the number of threads. Scaled so that
/// scores have a standard deviation near 1.5. Tensors that `previous` holds under the same name, shape and seed are shared.
Result<std::shared_ptr<const ModelWeights>> build_weights(const Experiment& experiment,
                                                          const ModelWeights* previous = nullptr,
                                                          const Progress& progress = {}, std::stop_token stop = {});

/// Makes the values that every token needs and that nobody asked for yet: of a checkpoint all but the routed experts',
/// which stay in its files until a token is routed to them. Cancellation gives an Error with the message "cancelled".
Status convert_weights(const ModelWeights& model, int threads = 0, const Progress& progress = {}, std::stop_token stop = {});

/// The same model with its matrices held in that type, each converted when it is first used: all but a router's. What
/// `previous` holds of the same files in that type is shared.
std::shared_ptr<const ModelWeights> narrowed(std::shared_ptr<const ModelWeights> model, WeightsDtype dtype,
                                             const ModelWeights* previous = nullptr);

/// Bytes of the experiment's random weights.
std::int64_t weight_bytes(const Experiment& experiment);

/// How many of those bytes build_weights would share with `previous`.
std::int64_t shared_weight_bytes(const Experiment& experiment, const ModelWeights& previous);

}  // namespace mla
