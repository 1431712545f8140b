#include "core/spec/shape.h"

#include <algorithm>
#include <string>

namespace mla {

namespace {

constexpr int even_part(int dim) { return dim - dim % 2; }

bool is_toy(const ModelSpec& spec) { return spec.block == BlockKind::toy; }

void share_out_hidden_size(ModelSpec& spec) {
  spec.attention.v_head_dim = spec.attention.hidden_size / spec.attention.num_attention_heads;
}

}  // namespace

Status set_kv_lora_rank(ModelSpec& spec, int rank) {
  AttentionSpec& a = spec.attention;
  if (!a.is_mla()) return Error{title_of(a) + " has no latent; --variant mla has one"};
  if (a.trained_kv_lora_rank > 0) {  // the lens stays, as far as there is that much to cut
    a.trained_kv_lora_rank = rank;
    a.kv_lora_rank = std::min(a.kv_lora_rank, rank);
    return {};
  }
  a.kv_lora_rank = rank;
  if (is_toy(spec)) a.qk_nope_head_dim = rank;
  return {};
}

Status set_lens_rank(ModelSpec& spec, int rank) {
  AttentionSpec& a = spec.attention;
  if (is_toy(spec)) return Error{"the tutorial's keys are the latent itself: there is no map to cut"};
  const int full = full_lens_rank(a);
  if (rank < 0 || rank > full) return Error{"must be from 1 to " + std::to_string(full) + ", or 0 for no lens"};
  spec = without_lens(spec);
  if (rank == 0) return {};
  if (a.is_mla()) {
    a.trained_kv_lora_rank = full;
    a.kv_lora_rank = rank;
  } else {
    a.joint_rank = rank;
  }
  return {};
}

Status set_q_lora_rank(ModelSpec& spec, int rank) {
  AttentionSpec& a = spec.attention;
  if (!a.is_mla()) return Error{title_of(a) + " has no query latent; --variant mla has one"};
  if (is_toy(spec) && rank < 1) return Error{"the tutorial's block compresses its query, must be at least 1"};
  a.q_lora_rank = rank;
  return {};
}

Status set_heads(ModelSpec& spec, int heads) {
  AttentionSpec& a = spec.attention;
  a.num_attention_heads = heads;
  if (is_toy(spec)) share_out_hidden_size(spec);
  if (a.variant == Variant::mla || a.variant == Variant::mha) a.num_key_value_heads = heads;
  if (a.variant == Variant::gqa && heads % a.num_key_value_heads != 0) a.num_key_value_heads = default_groups(heads);
  return {};
}

Status set_kv_heads(ModelSpec& spec, int groups) {
  AttentionSpec& a = spec.attention;
  switch (a.variant) {
    case Variant::gqa:
      a.num_key_value_heads = groups;
      return {};
    case Variant::mla:
      return Error{"MLA keeps one latent for all heads and has no groups; --variant gqa has"};
    case Variant::mha:
      return Error{"MHA has keys and values for every head; --variant gqa has groups"};
    case Variant::mqa:
      return Error{"MQA has one key and value for all heads; --variant gqa has groups"};
  }
  return {};
}

Status set_nope_dim(ModelSpec& spec, int dim) {
  AttentionSpec& a = spec.attention;
  if (is_toy(spec)) return Error{"the tutorial's block has keys as wide as its latent; set --kv-lora-rank"};
  a.qk_nope_head_dim = dim;
  if (!a.is_mla()) a.v_head_dim = a.head_dim();
  return {};
}

Status set_rope_dim(ModelSpec& spec, int dim) {
  AttentionSpec& a = spec.attention;
  if (is_toy(spec)) return Error{"the tutorial's block has no RoPE, must be 0"};
  if (dim % 2 != 0) return Error{"RoPE turns pairs, must be even"};
  if (a.elastic) {  // its NoPE part is trained and stays
    a.qk_rope_head_dim = dim;
    return {};
  }
  const int head = a.head_dim();
  if (dim > head) {
    return Error{"RoPE takes its part from the head, which has " + std::to_string(head) + " (" +
                 std::to_string(a.qk_nope_head_dim) + " NoPE + " + std::to_string(a.qk_rope_head_dim) + " RoPE)"};
  }
  a.qk_rope_head_dim = dim;
  a.qk_nope_head_dim = head - dim;
  return {};
}

Status set_v_head_dim(ModelSpec& spec, int dim) {
  AttentionSpec& a = spec.attention;
  if (is_toy(spec)) return Error{"the tutorial's block splits hidden_size over its heads; set --heads or --hidden-size"};
  if (!a.is_mla()) {
    const bool all_rotated = a.qk_rope_head_dim == even_part(a.head_dim());
    a.qk_rope_head_dim = all_rotated ? even_part(dim) : std::min(a.qk_rope_head_dim, even_part(dim));
    a.qk_nope_head_dim = dim - a.qk_rope_head_dim;
  }
  a.v_head_dim = dim;
  return {};
}

Status set_hidden_size(ModelSpec& spec, int size) {
  spec.attention.hidden_size = size;
  if (is_toy(spec)) {
    share_out_hidden_size(spec);
    spec.intermediate_size = 4 * size;
  }
  if (spec.block == BlockKind::decoder) spec.intermediate_size = (size * 8 / 3 + 127) / 128 * 128;
  return {};
}

}  // namespace mla
