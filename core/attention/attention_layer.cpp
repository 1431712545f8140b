#include "core/attention/attention_layer.h"

namespace mla {

std::int64_t causal_pairs(const AttentionProblem& p) {
  const std::int64_t positions = p.positions;
  return p.heads * (positions * p.keys() - positions * (positions - 1) / 2);
}

void AttentionLayer::count_scores(const AttentionProblem& p, Compute& compute) const {
  const KvLayout& l = p.layout();
  for (const KvView& kv : p.sequences) {
    compute.count(causal_pairs(p), 1, l.nope + l.rope, 0);
    const std::int64_t values = std::int64_t(l.nope_stride || l.kv_heads == 1 ? l.kv_heads : 1) * l.nope +
                                std::int64_t(l.rope_stride || l.kv_heads == 1 ? l.kv_heads : 1) * l.rope;
    compute.work.cache_read_bytes += values * p.keys() * bytes_of(kv.cache->dtype());
  }
}

void AttentionLayer::count_values(const AttentionProblem& p, Compute& compute) const {
  const KvLayout& l = p.layout();
  for (const KvView& kv : p.sequences) {
    compute.count(causal_pairs(p), 1, l.value, 0);
    // Where values are the keys' own columns they were counted with the scores.
    if (l.value_offset != l.nope_offset || l.value_stride != l.nope_stride)
      compute.work.cache_read_bytes += std::int64_t(l.kv_heads) * l.value * p.keys() * bytes_of(kv.cache->dtype());
  }
}

void split_queries(const float* q, int rows, const AttentionSpec& spec, float scale, const Rotation& rotation,
                   Queries& out) {
  const int heads = spec.num_attention_heads, nope = spec.qk_nope_head_dim, rope = spec.qk_rope_head_dim;
  out.nope.resize(std::size_t(rows) * heads * nope);
  out.rope.resize(std::size_t(rows) * heads * rope);
  for (int i = 0; i < rows; ++i)
    for (int h = 0; h < heads; ++h) {
      const std::size_t at = std::size_t(i) * heads + h;
      const float* head = q + at * (nope + rope);
      for (int j = 0; j < nope; ++j) out.nope[at * nope + j] = head[j] * scale;
      float* rotated = out.rope.data() + at * rope;
      for (int j = 0; j < rope; ++j) rotated[j] = head[nope + j] * scale;
      rotation.rotate(i, rotated);
    }
}

}  // namespace mla
