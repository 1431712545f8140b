#pragma once

#include "core/model/weights.h"
#include "core/spec/model_spec.h"
#include "core/tensor/compute.h"

namespace mla {

/// out[rows, d] = SwiGLU(x) with inner width gate_proj.weight.rows.
void swiglu(const Linear& gate_proj, const Linear& up_proj, const Linear& down_proj, const float* x, int rows,
            Compute& compute, float* out);

/// out[rows, d] = the sum of every row's routed experts by their weights, plus the shared experts. Only experts that a row
/// is routed to are touched. A row's result does not depend on which other rows there are, but that a single one
/// is rounded to 16 bits beside int8 weights.
void mix_experts(const MoeSpec& moe, const MoeWeights& weights, const float* x, int rows, Compute& compute, float* out);

}  // namespace mla
