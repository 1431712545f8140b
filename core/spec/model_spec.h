#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/spec/result.h"

namespace mla {

/// What is kept per token. MHA, GQA and MQA are one implementation that differs in num_key_value_heads.
enum class Variant { mla, mha, gqa, mqa };

/// How attention is computed from what is kept. `uncached` keeps nothing and recomputes every position at every step.
/// MHA, GQA and MQA know `expanded` and `uncached` only.
enum class AttentionPath { uncached, expanded, reexpanded, absorbed };

/// Type of the KV cache's values as stored; fp8 (E4M3) and int8 have scales beside them (core/spec/cache_row.h).
enum class CacheDtype { fp32, fp16, bf16, fp8, int8 };

/// Type in which the weights' matrices are held: fp32 whatever their file holds ("stored": nothing is rounded), bf16, or
/// int8 with an fp16 scale for each 32 values of a row. Vectors and a router's matrix stay fp32.
enum class WeightsDtype { stored, bf16, int8 };

/// What surrounds the attention in one layer.
enum class BlockKind {
  attention,  ///< x + attention(RMSNorm(x)): presets, which run attention only
  decoder,    ///< the same, then x + SwiGLU(RMSNorm(x))
  toy,        ///< the tutorial's: LayerNorm(x + attention(x)), then LayerNorm(x + ReLU feed-forward(x)), biases everywhere
};

/// YaRN as DeepSeek configures it (`rope_scaling`).
struct Yarn {
  double factor = 1;
  int original_max_position_embeddings = 4096;
  double beta_fast = 32;
  double beta_slow = 1;
  double mscale = 1;
  double mscale_all_dim = 0;
  bool operator==(const Yarn&) const = default;
};

/// Llama 3.1's frequency scaling (`rope_scaling` of type "llama3"): waves longer than original_max_position_embeddings /
/// low_freq_factor are slowed by `factor`, those shorter than it / high_freq_factor are left, between the two it is blended.
struct Llama3Rope {
  double factor = 8;
  double low_freq_factor = 1;
  double high_freq_factor = 4;
  int original_max_position_embeddings = 8192;
  bool operator==(const Llama3Rope&) const = default;
};

/// Rotary position embedding of the RoPE part of a head; at most one of the scalings is on.
struct RopeSpec {
  double theta = 10000;
  std::optional<Yarn> yarn = {};
  std::optional<Llama3Rope> llama3 = {};
  double linear_factor = 1;  ///< positions are divided by it (`rope_scaling` of type "linear")
  bool operator==(const RopeSpec&) const = default;
};

/// Full sizes of an elastic model: one set of weights, trained by nested dropout, that serves every smaller size too. A run
/// at smaller ones keeps the first latent values, RoPE pairs and heads; the norm is over the values kept, while frequency
/// table and score scale stay those of the full size.
struct Elastic {
  int num_attention_heads = 0;
  int kv_lora_rank = 0;
  int qk_rope_head_dim = 0;
  bool operator==(const Elastic&) const = default;
};

/// Dimensions of one attention layer, under their Hugging Face names.
///
/// MHA, GQA and MQA: head_dim = qk_nope_head_dim + qk_rope_head_dim = v_head_dim, and the two ranks are 0.
/// The tutorial's toy block: MLA with qk_nope_head_dim = kv_lora_rank (its W_qk is already absorbed) and no RoPE.
struct AttentionSpec {
  Variant variant = Variant::mla;
  int hidden_size = 512;
  int num_attention_heads = 8;
  int num_key_value_heads = 8;
  int qk_nope_head_dim = 64;
  int qk_rope_head_dim = 32;
  int v_head_dim = 64;
  int kv_lora_rank = 96;
  int q_lora_rank = 0;  ///< 0: no query compression
  RopeSpec rope;
  /// The rank lens: width of the latent that the layer was trained with, normalised whole and then projected to kv_lora_rank
  /// values, which is what the cache holds. 0: nothing is projected, the two are equal.
  int trained_kv_lora_rank = 0;
  /// The rank lens on MHA, GQA and MQA: rank that a layer's keys and values together are cut to. 0: not cut.
  int joint_rank = 0;
  std::optional<Elastic> elastic = {};

  int head_dim() const { return qk_nope_head_dim + qk_rope_head_dim; }
  /// Latent values that kv_a_proj makes.
  int latent_dim() const { return trained_kv_lora_rank > 0 ? trained_kv_lora_rank : kv_lora_rank; }
  /// RoPE dimensions whose frequency table and score scale hold: as trained.
  int trained_rope_dim() const { return elastic ? elastic->qk_rope_head_dim : qk_rope_head_dim; }
  bool is_mla() const { return variant == Variant::mla; }
  bool operator==(const AttentionSpec&) const = default;
};

/// How a router turns its logits into scores.
enum class ScoringFunc { softmax, sigmoid };

/// Which experts may be chosen: any; those of the groups with the best experts; or, with a selection bias, those of the
/// groups whose two best experts sum highest.
enum class TopkMethod { greedy, group_limited_greedy, noaux_tc };

/// Mixture of experts in the feed-forward of some layers, as DeepSeek-V2 and V3 configure it (Hugging Face names).
struct MoeSpec {
  int n_routed_experts = 64;
  int num_experts_per_tok = 6;
  int moe_intermediate_size = 1408;  ///< width of one expert
  int n_shared_experts = 0;          ///< experts that every token uses, kept side by side as one
  int first_k_dense_replace = 0;     ///< so many layers at the start stay dense
  int moe_layer_freq = 1;            ///< of the others, those whose index it divides have experts
  int n_group = 1;
  int topk_group = 1;
  ScoringFunc scoring_func = ScoringFunc::softmax;
  TopkMethod topk_method = TopkMethod::greedy;
  bool norm_topk_prob = false;
  double routed_scaling_factor = 1;

  bool has_bias() const { return topk_method == TopkMethod::noaux_tc; }  ///< e_score_correction_bias, for selection only
  bool has_groups() const { return topk_method != TopkMethod::greedy && n_group > 1; }
  int shared_width() const { return n_shared_experts * moe_intermediate_size; }
  bool operator==(const MoeSpec&) const = default;
};

/// A whole model: a stack of equal layers (but for the feed-forward of a mixture of experts), with or without a vocabulary.
struct ModelSpec {
  AttentionSpec attention;
  BlockKind block = BlockKind::decoder;
  int num_hidden_layers = 2;
  int intermediate_size = 1408;  ///< width of the feed-forward; 0 where the block has none
  int vocab_size = 256;          ///< 0: the block is fed vectors, not tokens
  int max_position_embeddings = 131072;
  double rms_norm_eps = 1e-6;
  bool tie_word_embeddings = false;
  std::optional<MoeSpec> moe;  ///< BlockKind::decoder only

  /// Whether that layer's feed-forward is a mixture of experts.
  bool is_moe_layer(int l) const { return moe && l >= moe->first_k_dense_replace && l % moe->moe_layer_freq == 0; }
  bool operator==(const ModelSpec&) const = default;
};

/// Lower-case names as the command line and the files write them ("mla", "absorbed", "fp32").
std::string_view name_of(Variant variant);
std::string_view name_of(AttentionPath path);
std::string_view name_of(CacheDtype dtype);
std::string_view name_of(WeightsDtype dtype);
std::string_view name_of(BlockKind block);
std::string_view name_of(ScoringFunc scoring);
std::string_view name_of(TopkMethod method);

/// As people write it: "MLA", "MHA", "GQA-8" (its groups), "MQA".
std::string title_of(const AttentionSpec& attention);

/// The inverse of name_of; the error names the value and lists what is known.
Result<Variant> parse_variant(std::string_view text);
Result<AttentionPath> parse_path(std::string_view text);
Result<CacheDtype> parse_cache_dtype(std::string_view text);
/// "fp32" is another name for "stored".
Result<WeightsDtype> parse_weights_dtype(std::string_view text);
Result<BlockKind> parse_block(std::string_view text);
Result<ScoringFunc> parse_scoring_func(std::string_view text);
Result<TopkMethod> parse_topk_method(std::string_view text);

/// The paths that a variant has, in the order uncached, expanded, re-expanded, absorbed.
std::vector<AttentionPath> paths_of(Variant variant);

/// Largest divisor of `heads` that is at most 8: the groups of a GQA made from a model with that many heads.
int default_groups(int heads);

/// The same model with another variant, at equal dimensions as shape mode understands it: from MLA, head_dim = v_head_dim,
/// all of it rotated, with groups H, default_groups(H) or 1; to MLA, kv_lora_rank = 4 head_dim, n = v = head_dim, r =
/// head_dim / 2.
ModelSpec with_variant(const ModelSpec& spec, Variant variant);

/// The rank that the lens cuts to; 0 without it.
int lens_rank(const AttentionSpec& attention);

/// The rank at which the lens loses nothing: that of the latent, or min(2 G dh, d).
int full_lens_rank(const AttentionSpec& attention);

/// The model as it was trained, without the rank lens.
ModelSpec without_lens(const ModelSpec& spec);

/// Whether one set of trained weights serves both: they are equal, or sizes of the same elastic model, under the rank lens
/// or not.
bool same_weights(const ModelSpec& a, const ModelSpec& b);

/// An elastic model at its full size, any other as it is; both without the rank lens.
ModelSpec full_size(const ModelSpec& spec);

/// Checks every dimension once; the error names the field, its value and the rule.
Status validate(const ModelSpec& spec);

}  // namespace mla
