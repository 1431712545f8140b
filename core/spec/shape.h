#pragma once

#include "core/spec/model_spec.h"

namespace mla {

/// Shape mode: one dimension changes and what depends on it follows (design: "What a setting means"). The values are within
/// limits.h; what only the whole shows (a group count that does not divide) is left to validate(). An error is a bare rule.

/// q_lora_rank stays; in the toy block the key is the latent itself and follows. The rank lens stays, if need be lower.
Status set_kv_lora_rank(ModelSpec& spec, int rank);
/// 0: without. MLA keeps what it was trained with as trained_kv_lora_rank.
Status set_lens_rank(ModelSpec& spec, int rank);
Status set_q_lora_rank(ModelSpec& spec, int rank);
/// GQA's groups become default_groups(heads) where the old ones do not divide; the toy's heads share hidden_size out.
Status set_heads(ModelSpec& spec, int heads);
Status set_kv_heads(ModelSpec& spec, int groups);
/// Sets n alone; r stays.
Status set_nope_dim(ModelSpec& spec, int dim);
/// Holds n + r: RoPE takes its part from NoPE.
Status set_rope_dim(ModelSpec& spec, int dim);
/// MHA, GQA, MQA: the dimension of the whole head; one that was all rotated stays so.
Status set_v_head_dim(ModelSpec& spec, int dim);
/// A feed-forward follows: 4 d in the toy block, 8/3 d rounded up to a multiple of 128 in the decoder block.
Status set_hidden_size(ModelSpec& spec, int size);

}  // namespace mla
