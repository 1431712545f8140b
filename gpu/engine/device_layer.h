#pragma once

#include <memory>

#include "core/attention/attention_layer.h"
#include "gpu/engine/device_compute.h"
#include "gpu/ops/cache_rows.h"

namespace mla::gpu {

/// Queries ready for the attention: device [rows, heads, nope], [rows, heads, rope].
struct DeviceQueries {
  float* nope = nullptr;
  float* rope = nullptr;
};

/// Rows on their way into a cache, and their positions.
struct DeviceRows {
  float* x = nullptr;  ///< [rows, d], normed
  int rows = 0;
  RowPositions positions;
};

/// The parts of an attention layer that differ between variants and paths, on the device: core/attention/attention_layer.h's
/// counterpart, whose layouts and counts it shares.
class DeviceLayer {
 public:
  virtual ~DeviceLayer() = default;
  /// Stores what the rows add to the cache. Gives the compressed rows [rows, c + r] before expansion, null where there are
  /// none.
  virtual float* append(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope, const CacheView& cache,
                        DeviceCompute& compute) const = 0;
  virtual DeviceQueries query(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                              DeviceCompute& compute) const = 0;
  /// [rows, H v] from the attention's sums [rows, H, summed values].
  virtual float* finish(const AttentionWeights& weights, float* sums, int rows, DeviceCompute& compute) const = 0;
};

std::unique_ptr<DeviceLayer> make_device_grouped_layer(const ModelSpec& spec);
/// `uncached` computes as `expanded` does.
std::unique_ptr<DeviceLayer> make_device_latent_layer(const ModelSpec& spec, AttentionPath path);

/// q [rows, H (n + r)] split, scaled and rotated.
DeviceQueries split(const AttentionSpec& spec, float scale, const float* q, const DeviceRows& in, const RopeView& rope,
                    DeviceCompute& compute);

}  // namespace mla::gpu
