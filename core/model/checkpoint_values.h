#pragma once

#include <memory>

#include "core/io/tensor_files.h"
#include "core/model/checkpoint_plan.h"

namespace mla {

/// Where a weight's values come from.
struct TensorSource {
  const TensorView* tensor = nullptr;  ///< F32, F16, BF16; or F8_E4M3 with a scale
  const TensorView* scale = nullptr;   ///< [ceil(rows / block.rows), ceil(cols / block.cols)], for F8_E4M3
  ScaleBlock block = {};
  HalfSplit pairs = {};
};

/// The values as fp32, row by row in the order of `pairs`.
Buffer<float> convert(const TensorSource& source);

/// The stored tensors of one planned weight, checked: presence, shape and type, those of its scale too. The error names the
/// file, the tensor and what config.json asks for.
Result<TensorSource> find_source(const TensorFiles& files, const CheckpointConfig& config, const PlannedTensor& planned);

/// Name of the scales that go with an F8_E4M3 matrix.
std::string scale_name(const PlannedTensor& planned);

}  // namespace mla
