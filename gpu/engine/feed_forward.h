#pragma once

#include "gpu/engine/device_compute.h"

namespace mla::gpu {

/// What one layer's feed-forward makes of x [rows, d]: device [rows, d]. `touched` (device) receives, where the layer has a
/// mixture of experts and rows are several, how many experts they are routed to; the caller counts the weights of those.
float* feed_forward(const ModelSpec& spec, int layer, const LayerWeights& weights, float* x, int rows, int* touched,
                    DeviceCompute& compute);

/// Bytes of one routed expert's weights; 0 where the layer has none.
std::int64_t expert_bytes(const LayerWeights& weights);

}  // namespace mla::gpu
