#include "core/attention/attention_layer.h"

namespace mla {
namespace {

/// A cache row is K [G, dh], then V [G, dh]; in each key the NoPE part comes before the RoPE part.
class GroupedQueryLayer : public AttentionLayer {
 public:
  explicit GroupedQueryLayer(const ModelSpec& spec)
      : a_(spec.attention), scale_(float(score_scale(spec))), width_(a_.num_key_value_heads * a_.head_dim()) {}

  int summed_values() const override { return a_.head_dim(); }

  KvView view(const AttentionWeights&, const KvCache& cache) const override {
    const int dh = a_.head_dim();
    KvLayout layout{.kv_heads = a_.num_key_value_heads,
                    .nope = a_.qk_nope_head_dim,
                    .nope_offset = 0,
                    .nope_stride = dh,
                    .rope = a_.qk_rope_head_dim,
                    .rope_offset = a_.qk_nope_head_dim,
                    .rope_stride = dh,
                    .value = dh,
                    .value_offset = width_,
                    .value_stride = dh};
    return {&cache, layout, {}};
  }

  void query(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
             Queries& out) const override {
    std::vector<float> q(std::size_t(rows) * weights.q_proj.weight.rows);
    compute.linear(weights.q_proj, x, rows, q.data());
    split_queries(q.data(), rows, a_, scale_, rotation, out);
  }

  void append(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
              std::vector<KvCache>& caches, std::vector<float>*) const override {
    std::vector<float> k(std::size_t(rows) * width_), v(std::size_t(rows) * width_);
    compute.linear(weights.k_proj, x, rows, k.data());
    compute.linear(weights.v_proj, x, rows, v.data());
    const int batch = int(caches.size());
    for (int i = 0; i < rows; ++i) {
      float* key = k.data() + std::size_t(i) * width_;
      for (int g = 0; g < a_.num_key_value_heads; ++g) rotation.rotate(i, key + g * a_.head_dim() + a_.qk_nope_head_dim);
      KvCache& cache = caches[i % batch];
      const int token = cache.grow(1);
      cache.store(compute.kernels, token, 0, key, width_);
      cache.store(compute.kernels, token, width_, v.data() + std::size_t(i) * width_, width_);
      compute.work.cache_write_bytes += cache.row_bytes();
    }
  }

  void finish(const AttentionWeights&, const float* sums, int rows, Compute&, float* heads_out) const override {
    std::copy_n(sums, std::size_t(rows) * a_.num_attention_heads * a_.head_dim(), heads_out);
  }

 private:
  AttentionSpec a_;
  float scale_;
  int width_;  // of all keys, or all values, of a token
};

}  // namespace

std::unique_ptr<AttentionLayer> make_grouped_query_layer(const ModelSpec& spec) {
  return std::make_unique<GroupedQueryLayer>(spec);
}

}  // namespace mla
