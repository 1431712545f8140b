#include "core/attention/attention_layer.h"

namespace mla {
namespace {

/// Whether values lie behind the keys; otherwise they are the keys' own columns, and counted with the scores.
bool values_apart(const KvLayout& l) { return l.value_offset != l.nope_offset || l.value_stride != l.nope_stride; }

}  // namespace

std::int64_t causal_pairs(const AttentionProblem& p) {
  const std::int64_t positions = p.positions;
  return p.heads * (positions * p.keys() - positions * (positions - 1) / 2);
}

void AttentionLayer::count_scores(const AttentionProblem& p, Work& work) const {
  const KvLayout& l = p.layout();
  for (const KvView& kv : p.sequences) {
    work.count_product(causal_pairs(p), 1, l.nope + l.rope, 0);
    const std::int64_t later = values_apart(l) ? kv.cache->format().bytes_from(l.value_offset) : 0;
    work.cache_read_bytes += (kv.cache->row_bytes() - later) * p.keys();
  }
}

void AttentionLayer::count_values(const AttentionProblem& p, Work& work) const {
  const KvLayout& l = p.layout();
  for (const KvView& kv : p.sequences) {
    work.count_product(causal_pairs(p), 1, l.value, 0);
    if (values_apart(l)) work.cache_read_bytes += kv.cache->format().bytes_from(l.value_offset) * p.keys();
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
