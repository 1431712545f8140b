#include "gpu/ops/norm.h"

#include "gpu/kernels/norm.cuh"

namespace mla::gpu {

void rms_norm(Stream& stream, Rows in, int rows, int n, const float* weight, float eps, Rows out) {
  launch<RmsNorm>(stream, {rows}, {out.data, in.data, weight, in.stride, out.stride, n, eps}, RmsNorm::kShared);
}

void layer_norm(Stream& stream, Rows x, int rows, int n, const float* weight, const float* bias) {
  launch<LayerNorm>(stream, {rows}, {x.data, weight, bias, x.stride, n}, LayerNorm::kShared);
}

}  // namespace mla::gpu
