#pragma once

#include <vector>

#include "gpu/engine/device_compute.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// Attention over keys and values that are rebuilt from cached latents at every step: for as many heads at a time as find
/// room in a bounded piece of memory, one sequence after the other.
class Reexpansion {
 public:
  /// Bytes that rebuilt rows may take, where one head does not need more.
  static constexpr std::int64_t kMostBytes = std::int64_t(256) << 20;

  explicit Reexpansion(const ModelSpec& spec);
  /// Heads that are rebuilt together at that many keys.
  int heads_at(std::int64_t keys) const;
  /// Device memory for rebuilt rows at that many keys.
  std::int64_t bytes(std::int64_t keys) const;

  /// `problem`: the cache and queries of all heads and sequences, and what they give; its layout is not used. `keys` is
  /// *problem.first + problem.positions. Throws Failure.
  void attend(const AttentionWeights& weights, const DeviceAttention& problem, int keys, DeviceCompute& compute);

 private:
  int row_values(int heads) const;
  int up_rows() const { return nope_ + a_.v_head_dim; }
  CacheView rebuild(const AttentionWeights& weights, const CacheView& cache, int sequence, int head, int heads, int keys,
                    DeviceCompute& compute);
  CacheView pages_of(float* rows, int heads, int keys, DeviceCompute& compute);
  KvLayout layout(int heads) const;
  void attend_heads(const DeviceAttention& problem, const CacheView& rebuilt, int sequence, int head, int heads, int keys,
                    DeviceCompute& compute) const;

  AttentionSpec a_;
  bool toy_;
  int nope_;  // rows of kv_b_proj per head before its values
  struct Pages {
    const float* rows = nullptr;
    int values = 0, count = 0;
    bool operator==(const Pages&) const = default;
  };
  Pages pages_;  // that the table on the device holds
};

}  // namespace mla::gpu
