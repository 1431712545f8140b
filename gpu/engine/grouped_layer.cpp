#include "gpu/engine/device_layer.h"

namespace mla::gpu {
namespace {

/// A cache row is K [G, dh], then V [G, dh].
class GroupedLayer : public DeviceLayer {
 public:
  explicit GroupedLayer(const ModelSpec& spec)
      : a_(spec.attention), scale_(float(score_scale(spec))), width_(a_.num_key_value_heads * a_.head_dim()) {}

  float* append(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope, const CacheView& cache,
                DeviceCompute& compute) const override {
    const int row = 2 * width_;
    float* const rows = compute.scratch.get(Slot::row, std::int64_t(in.rows) * row);
    const Rows x{in.x, a_.hidden_size};
    compute.linear(weights.k_proj, x, in.rows, {rows, row});
    compute.linear(weights.v_proj, x, in.rows, {rows + width_, row});
    rotate(compute.stream, rope, in.positions, {rows + a_.qk_nope_head_dim, row}, in.rows, a_.num_key_value_heads,
           a_.head_dim());
    append_rows(compute.stream, cache, in.positions, {rows, row}, in.rows);
    compute.work.cache_write_bytes += std::int64_t(in.rows) * cache.row.bytes;
    return nullptr;
  }

  DeviceQueries query(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                      DeviceCompute& compute) const override {
    float* const q = compute.scratch.get(Slot::query, std::int64_t(in.rows) * weights.q_proj.weight.rows);
    compute.linear(weights.q_proj, in.x, in.rows, q);
    return split(a_, scale_, q, in, rope, compute);
  }

  float* finish(const AttentionWeights&, float* sums, int, DeviceCompute&) const override { return sums; }

 private:
  AttentionSpec a_;
  float scale_;
  int width_;  // of all keys, or all values, of a token
};

}  // namespace

std::unique_ptr<DeviceLayer> make_device_grouped_layer(const ModelSpec& spec) {
  return std::make_unique<GroupedLayer>(spec);
}

DeviceQueries split(const AttentionSpec& a, float scale, const float* q, const DeviceRows& in, const RopeView& rope,
                    DeviceCompute& compute) {
  const int heads = a.num_attention_heads, nope = a.qk_nope_head_dim, dim = a.qk_rope_head_dim;
  const std::int64_t rows = std::int64_t(in.rows) * heads;
  const DeviceQueries queries{compute.scratch.get(Slot::q_nope, rows * nope), compute.scratch.get(Slot::q_rope, rows * dim)};
  split_queries(compute.stream, rope, in.positions, {q, queries.nope, queries.rope, in.rows, heads, nope, dim, scale});
  return queries;
}

}  // namespace mla::gpu
