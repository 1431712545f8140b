#include <cmath>
#include <string>

#include "core/spec/limits.h"
#include "core/spec/model_spec.h"
#include "core/spec/text.h"

namespace mla {

namespace {

Error wrong(std::string_view field, const std::string& value, const std::string& rule) {
  return {std::string(field) + " is " + value + ": " + rule};
}

Status positive(std::string_view field, double value, double high) {
  if (value > 0 && value <= high) return {};
  return wrong(field, shortest(value), "must be above 0 and at most " + shortest(high));
}

constexpr std::string_view kHidden = "hidden_size (--hidden-size)";
constexpr std::string_view kHeads = "num_attention_heads (--heads)";
constexpr std::string_view kGroups = "num_key_value_heads (--kv-heads)";
constexpr std::string_view kNope = "qk_nope_head_dim (--nope-dim)";
constexpr std::string_view kRope = "qk_rope_head_dim (--rope-dim)";
constexpr std::string_view kValue = "v_head_dim (--v-head-dim)";
constexpr std::string_view kLatent = "kv_lora_rank (--kv-lora-rank)";
constexpr std::string_view kTrained = "trained_kv_lora_rank";
constexpr std::string_view kQuery = "q_lora_rank (--q-lora-rank)";

/// The first failure among checks that were all made.
Status first(std::initializer_list<Status> checks) {
  for (const Status& check : checks) {
    if (!check) return check;
  }
  return {};
}

Status validate_groups(const AttentionSpec& a) {
  const int heads = a.num_attention_heads, groups = a.num_key_value_heads;
  const std::string value = std::to_string(groups);
  if (groups < 1 || heads % groups != 0) {
    return wrong(kGroups, value, "must divide num_attention_heads (--heads) " + std::to_string(heads));
  }
  if (a.variant == Variant::mqa && groups != 1) return wrong(kGroups, value, "mqa has 1");
  if ((a.variant == Variant::mha || a.is_mla()) && groups != heads) {
    return wrong(kGroups, value,
                 std::string(name_of(a.variant)) + " has one for each of its " + std::to_string(heads) + " heads");
  }
  return {};
}

Status validate_grouped_heads(const AttentionSpec& a) {
  const std::string variant(name_of(a.variant));
  if (a.kv_lora_rank != 0) return wrong(kLatent, std::to_string(a.kv_lora_rank), variant + " has no latent, must be 0");
  if (a.q_lora_rank != 0) return wrong(kQuery, std::to_string(a.q_lora_rank), variant + " has no query latent, must be 0");
  if (a.v_head_dim != a.head_dim()) {
    return wrong(kValue, std::to_string(a.v_head_dim),
                 variant + " has keys and values of one size, must be n + r = " + std::to_string(a.head_dim()));
  }
  return {};
}

Status validate_trained_rank(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  const int trained = a.trained_kv_lora_rank;
  if (trained == 0) return {};
  const std::string value = std::to_string(trained);
  if (!a.is_mla() || spec.block == BlockKind::toy)
    return wrong(kTrained, value, "only mla has a latent to project, must be 0");
  if (trained < a.kv_lora_rank)
    return wrong(kTrained, value, "must be 0 or at least kv_lora_rank (--kv-lora-rank) " + std::to_string(a.kv_lora_rank));
  return within(kTrained, trained, limits::kv_lora_rank);
}

Status validate_joint_rank(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  if (a.joint_rank == 0) return {};
  const std::string_view name = "joint_rank (--lens-rank)";
  if (a.is_mla()) return wrong(name, std::to_string(a.joint_rank), "mla has a latent to cut instead, must be 0");
  return within(name, a.joint_rank, {0, full_lens_rank(a)});
}

Status validate_heads(const AttentionSpec& a) {
  if (auto status =
          first({within(kHidden, a.hidden_size, limits::hidden_size), within(kHeads, a.num_attention_heads, limits::heads),
                 within(kRope, a.qk_rope_head_dim, limits::rope_dim)});
      !status) {
    return status;
  }
  if (a.qk_rope_head_dim % 2 != 0) return wrong(kRope, std::to_string(a.qk_rope_head_dim), "RoPE turns pairs, must be even");
  if (auto status = validate_groups(a); !status) return status;
  if (!a.is_mla()) return validate_grouped_heads(a);
  return first({within(kLatent, a.kv_lora_rank, limits::kv_lora_rank), within(kQuery, a.q_lora_rank, limits::q_lora_rank)});
}

Status validate_head_dims(const AttentionSpec& a) {
  if (a.head_dim() < 1) return wrong(kNope, std::to_string(a.qk_nope_head_dim), "n + r must be at least 1");
  if (!a.is_mla() && a.head_dim() > limits::head_dim.high) {
    return wrong(kNope, std::to_string(a.qk_nope_head_dim),
                 "n + r must be at most " + std::to_string(limits::head_dim.high));
  }
  return first({within(kNope, a.qk_nope_head_dim, limits::nope_dim), within(kValue, a.v_head_dim, limits::head_dim)});
}

/// An elastic model runs at its full size or less.
Status validate_elastic(const AttentionSpec& a) {
  if (!a.elastic) return {};
  if (!a.is_mla()) return wrong("elastic", "set", "only MLA can be");
  return first({within(kHeads, a.num_attention_heads, {1, a.elastic->num_attention_heads}),
                within(kLatent, a.latent_dim(), {1, a.elastic->kv_lora_rank}),
                within(kRope, a.qk_rope_head_dim, {0, a.elastic->qk_rope_head_dim}),
                within("the elastic num_attention_heads", a.elastic->num_attention_heads, limits::heads),
                within("the elastic kv_lora_rank", a.elastic->kv_lora_rank, limits::kv_lora_rank),
                within("the elastic qk_rope_head_dim", a.elastic->qk_rope_head_dim, limits::rope_dim)});
}

Status validate_toy(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  const int d = a.hidden_size, heads = a.num_attention_heads;
  const auto must = [](std::string_view field, int value, int rule, const std::string& why) -> Status {
    if (value == rule) return {};
    return wrong(field, std::to_string(value), "the tutorial's block " + why + ", must be " + std::to_string(rule));
  };
  if (!a.is_mla()) return wrong("variant (--variant)", std::string(name_of(a.variant)), "the tutorial's block is mla only");
  if (d % heads != 0)
    return wrong(kHeads, std::to_string(heads), "must divide hidden_size (--hidden-size) " + std::to_string(d));
  if (a.q_lora_rank < 1) return wrong(kQuery, "0", "the tutorial's block compresses its query, must be at least 1");
  return first({must(kRope, a.qk_rope_head_dim, 0, "has no RoPE"),
                must(kNope, a.qk_nope_head_dim, a.kv_lora_rank, "has keys as wide as its latent"),
                must(kValue, a.v_head_dim, d / heads, "splits its hidden size over the heads"),
                must("intermediate_size", spec.intermediate_size, 4 * d, "has a feed-forward of 4 times its hidden size"),
                must("vocab_size", spec.vocab_size, 0, "is fed vectors")});
}

Status validate_llama3(const Llama3Rope& l) {
  if (!(l.factor >= 1 && l.factor <= 1e6)) return wrong("factor", shortest(l.factor), "must be from 1 to 1e+06");
  if (!(l.low_freq_factor < l.high_freq_factor)) {
    return wrong("low_freq_factor", shortest(l.low_freq_factor),
                 "must be below high_freq_factor " + shortest(l.high_freq_factor));
  }
  return first({within("original_max_position_embeddings", l.original_max_position_embeddings, limits::max_positions),
                positive("low_freq_factor", l.low_freq_factor, 1e6), positive("high_freq_factor", l.high_freq_factor, 1e6)});
}

Status validate_rope(const RopeSpec& rope) {
  if (!(rope.theta > 1 && rope.theta <= 1e12))
    return wrong("rope_theta", shortest(rope.theta), "must be above 1 and at most 1e+12");
  if (int(rope.yarn.has_value()) + int(rope.llama3.has_value()) + int(rope.linear_factor != 1) > 1)
    return Error{"rope_scaling is of several types: it has one of yarn, llama3 and linear"};
  if (!(rope.linear_factor >= 1 && rope.linear_factor <= 1e6))
    return wrong("factor", shortest(rope.linear_factor), "must be from 1 to 1e+06");
  if (rope.llama3) return validate_llama3(*rope.llama3);
  if (!rope.yarn) return {};
  const Yarn& y = *rope.yarn;
  if (!(y.factor >= 1 && y.factor <= 1e6)) return wrong("factor", shortest(y.factor), "must be from 1 to 1e+06");
  if (!(y.beta_slow <= y.beta_fast)) {
    return wrong("beta_slow", shortest(y.beta_slow), "must be at most beta_fast " + shortest(y.beta_fast));
  }
  const auto scale = [](std::string_view field, double value) -> Status {
    if (value >= 0 && value <= 100) return {};
    return wrong(field, shortest(value), "must be from 0 to 100");
  };
  return first({within("original_max_position_embeddings", y.original_max_position_embeddings, limits::max_positions),
                positive("beta_slow", y.beta_slow, 1e6), positive("beta_fast", y.beta_fast, 1e6), scale("mscale", y.mscale),
                scale("mscale_all_dim", y.mscale_all_dim)});
}

Status validate_block(const ModelSpec& spec) {
  if (spec.block == BlockKind::toy) return validate_toy(spec);
  if (auto status = validate_head_dims(spec.attention); !status) return status;
  if (spec.block == BlockKind::decoder)
    return within("intermediate_size", spec.intermediate_size, limits::intermediate_size);
  if (spec.intermediate_size == 0) return {};
  return wrong("intermediate_size", std::to_string(spec.intermediate_size),
               "attention alone has no feed-forward, must be 0");
}

Status validate_groups(const MoeSpec& moe) {
  const std::string experts = std::to_string(moe.n_routed_experts);
  if (moe.n_group < 1 || moe.n_routed_experts % moe.n_group != 0)
    return wrong("n_group", std::to_string(moe.n_group), "must divide n_routed_experts " + experts);
  if (auto status = within("topk_group", moe.topk_group, {1, moe.n_group}); !status) return status;
  const int size = moe.n_routed_experts / moe.n_group;
  if (moe.has_groups() && moe.has_bias() && size < 2)
    return wrong("n_group", std::to_string(moe.n_group), "noaux_tc scores a group by two experts, it has one");
  const int eligible = moe.has_groups() ? moe.topk_group * size : moe.n_routed_experts;
  return within("num_experts_per_tok", moe.num_experts_per_tok, {1, eligible});
}

Status validate_moe(const ModelSpec& spec) {
  if (!spec.moe) return {};
  const MoeSpec& moe = *spec.moe;
  if (spec.block != BlockKind::decoder) {
    return wrong("n_routed_experts", std::to_string(moe.n_routed_experts),
                 "only the decoder block has experts, this one is " + std::string(name_of(spec.block)));
  }
  if (auto status = first({within("n_routed_experts", moe.n_routed_experts, limits::experts),
                           within("moe_intermediate_size", moe.moe_intermediate_size, limits::intermediate_size),
                           within("n_shared_experts", moe.n_shared_experts, {0, 1024}),
                           within("first_k_dense_replace", moe.first_k_dense_replace, {0, limits::layers.high}),
                           within("moe_layer_freq", moe.moe_layer_freq, limits::layers),
                           positive("routed_scaling_factor", moe.routed_scaling_factor, 1e6)});
      !status) {
    return status;
  }
  return validate_groups(moe);
}

}  // namespace

Status validate(const ModelSpec& spec) {
  if (auto status = validate_heads(spec.attention); !status) return status;
  if (auto status = validate_block(spec); !status) return status;
  if (auto status = first({validate_trained_rank(spec), validate_joint_rank(spec)}); !status) return status;
  if (auto status = validate_moe(spec); !status) return status;
  if (auto status = validate_elastic(spec.attention); !status) return status;
  return first({validate_rope(spec.attention.rope), within("num_hidden_layers", spec.num_hidden_layers, limits::layers),
                within("vocab_size", spec.vocab_size, limits::vocab_size),
                within("max_position_embeddings", spec.max_position_embeddings, limits::max_positions),
                positive("rms_norm_eps", spec.rms_norm_eps, 0.1)});
}

}  // namespace mla
