#pragma once

#include <cstdint>
#include <functional>

#include "core/spec/model_spec.h"

namespace mla {

/// `count` tensors of [rows, cols] each; those with one column are vectors. `narrows`: held in the type that the experiment
/// gives its weights.
struct ParameterShape {
  std::int64_t count = 1, rows = 1, cols = 1;
  bool narrows = true;
};

/// Visits the tensors that a run of `layers` layers holds, embedding and head included, equal ones of a layer together.
void for_each_parameter(const ModelSpec& spec, int layers, const std::function<void(const ParameterShape&)>& visit);

/// Numbers in all of them.
std::int64_t parameter_count(const ModelSpec& spec, int layers);

/// Bytes of all of them. Formula: fp32 4, bf16 2, int8 1 + 2 / 32 a value (a row's last scale may stand for fewer).
std::int64_t parameter_bytes(const ModelSpec& spec, int layers, WeightsDtype dtype);

/// Bytes of a row of a matrix in that type.
std::int64_t weight_row_bytes(WeightsDtype dtype, std::int64_t cols);

}  // namespace mla
