#pragma once

#include <memory>

#include "core/model/weights.h"

namespace mla {

/// The weights of an elastic model at a smaller size: of every layer the first latent values (rows of kv_a_proj and of the
/// norm, columns of kv_b_proj), the first RoPE pairs (the last rows of each query head and of kv_a_proj) and the first heads
/// (rows of the query's projection and kv_b_proj, columns of o_proj). `full` fits full_size(spec); all that is not sliced is
/// shared with it.
std::shared_ptr<const ModelWeights> slice_elastic(std::shared_ptr<const ModelWeights> full, const ModelSpec& spec);

}  // namespace mla
