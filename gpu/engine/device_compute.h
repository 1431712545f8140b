#pragma once

#include "core/engine/trace.h"
#include "core/model/weights.h"
#include "gpu/engine/device_weights.h"
#include "gpu/engine/scratch.h"
#include "gpu/ops/product.h"

namespace mla::gpu {

/// What a product needs to run on the device, and where its work is counted: core/tensor/compute.h's counterpart.
struct DeviceCompute {
  Stream& stream;
  const DeviceFacts& device;
  const DeviceModel& model;
  Scratch& scratch;
  Work work{};

  const Matrix& matrix(const Weight& weight) const { return model.of(weight).matrix(); }
  /// The values of a vector, null where there is none.
  const float* vector(const Weight& weight) const { return weight ? model.of(weight).vector() : nullptr; }

  /// y[m, rows] = x[m, cols] W^T + bias
  void linear(const Linear& linear, Rows x, int m, Rows y) {
    multiply(stream, device, gpu::linear(matrix(linear.weight), vector(linear.bias), x, m, y));
    work.count_product(m, linear.weight.rows, linear.weight.cols, linear.weight.bytes());
  }
  /// The same between rows without gaps.
  void linear(const Linear& weights, float* x, int m, float* y) {
    linear(weights, {x, weights.weight.cols}, m, {y, weights.weight.rows});
  }
  void rms_norm(const Weight& weight, double eps, Rows in, int rows, Rows out) {
    gpu::rms_norm(stream, in, rows, weight.rows, vector(weight), float(eps), out);
  }
};

}  // namespace mla::gpu
