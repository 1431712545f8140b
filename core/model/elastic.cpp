#include "core/model/elastic.h"

#include <algorithm>
#include <vector>

namespace mla {
namespace {

/// Consecutive rows or columns, [first, first + count).
struct Part {
  int first = 0;
  int count = 0;
};
using Parts = std::vector<Part>;

int total(const Parts& parts) {
  int sum = 0;
  for (const Part& part : parts) sum += part.count;
  return sum;
}

/// The rows and columns of a matrix; of a vector the columns are its one. The same matrix where all of it is kept.
Weight sliced(const Weight& full, const Parts& rows, const Parts& cols) {
  if (!full || (total(rows) == full.rows && total(cols) == full.cols)) return full;
  // Under another name: whoever looks for the checkpoint's own tensor must not find a part of it.
  Weight part{full.name + kPartSuffix, total(rows), total(cols), nullptr};
  auto values = std::make_shared<Buffer<float>>(std::size_t(part.rows) * part.cols);
  float* out = values->data();
  for (const Part& r : rows)
    for (int row = r.first; row < r.first + r.count; ++row)
      for (const Part& c : cols) {
        const float* from = full.data() + std::size_t(row) * full.cols + c.first;
        out = std::copy_n(from, c.count, out);
      }
  part.values = std::move(values);
  return part;
}

Parts all_columns(const Weight& weight) { return {{0, weight.cols}}; }

void slice_rows(Linear& linear, const Parts& rows) {
  linear.weight = sliced(linear.weight, rows, all_columns(linear.weight));
  linear.bias = sliced(linear.bias, rows, {{0, 1}});
}

void slice(AttentionWeights& w, const AttentionSpec& spec, const AttentionSpec& full) {
  const int n = spec.qk_nope_head_dim, r = spec.qk_rope_head_dim, heads = spec.num_attention_heads;
  const Parts latent{{0, spec.kv_lora_rank}};
  Parts query;
  for (int h = 0; h < heads; ++h) query.push_back({h * full.head_dim(), n + r});
  slice_rows(spec.q_lora_rank == 0 ? w.q_proj : w.q_b_proj, query);
  slice_rows(w.kv_a_proj, {latent.front(), {full.kv_lora_rank, r}});
  w.kv_a_layernorm = sliced(w.kv_a_layernorm, latent, {{0, 1}});
  w.kv_b_proj.weight = sliced(w.kv_b_proj.weight, {{0, heads * (n + spec.v_head_dim)}}, latent);
  w.o_proj.weight = sliced(w.o_proj.weight, {{0, w.o_proj.weight.rows}}, {{0, heads * spec.v_head_dim}});
}

}  // namespace

std::shared_ptr<const ModelWeights> slice_elastic(std::shared_ptr<const ModelWeights> full, const ModelSpec& spec) {
  const ModelSpec whole = full_size(spec);
  if (spec == whole) return full;
  auto smaller = std::make_shared<ModelWeights>(*full);
  for (LayerWeights& layer : smaller->layers) slice(layer.attention, spec.attention, whole.attention);
  return smaller;
}

}  // namespace mla
