#pragma once

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Rows of fp32 values on the device.
struct Rows {
  float* data = nullptr;
  std::int64_t stride = 0;  ///< values between the first of one row and of the next
};

/// out[rows, n] = RMSNorm(in[rows, n]) · weight[n]; in place where both are the same.
void rms_norm(Stream& stream, Rows in, int rows, int n, const float* weight, float eps, Rows out);

/// x[rows, n] = LayerNorm(x) · weight[n] + bias[n] (eps 1e-5, PyTorch's default), in place.
void layer_norm(Stream& stream, Rows x, int rows, int n, const float* weight, const float* bias);

}  // namespace mla::gpu
