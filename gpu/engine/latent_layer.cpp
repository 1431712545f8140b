#include "gpu/engine/device_layer.h"

namespace mla::gpu {
namespace {

/// MLA on any path and the tutorial's toy block; what its rows and weights hold says core/attention/latent.cpp.
class LatentLayer : public DeviceLayer {
 public:
  LatentLayer(const ModelSpec& spec, AttentionPath path)
      : a_(spec.attention),
        toy_(spec.block == BlockKind::toy),
        absorbed_(path == AttentionPath::absorbed),
        expanded_(path == AttentionPath::expanded || path == AttentionPath::uncached),
        scale_(float(score_scale(spec))) {}

  float* append(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope, const CacheView& cache,
                DeviceCompute& compute) const override;
  DeviceQueries query(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                      DeviceCompute& compute) const override;
  float* finish(const AttentionWeights& weights, float* sums, int rows, DeviceCompute& compute) const override;

 private:
  int compressed() const { return a_.kv_lora_rank + a_.qk_rope_head_dim; }
  int up_rows() const { return value_row() + a_.v_head_dim; }
  int value_row() const { return toy_ ? 0 : a_.qk_nope_head_dim; }
  float* compress(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope, DeviceCompute& compute) const;
  float* project_latents(const Weight& projection, float* wide, int rows, DeviceCompute& compute) const;
  Rows expand(const AttentionWeights& weights, Rows rows, int count, int values, DeviceCompute& compute) const;
  float* fold(const Weight& weight, float* q_nope, int rows, DeviceCompute& compute) const;

  AttentionSpec a_;
  bool toy_, absorbed_, expanded_;
  float scale_;
};

/// [rows, c + r]: latents after norm and projection, RoPE keys after rotation.
float* LatentLayer::compress(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                             DeviceCompute& compute) const {
  const int latent = a_.latent_dim(), width = latent + a_.qk_rope_head_dim;
  float* const wide = compute.scratch.get(Slot::compressed, std::int64_t(in.rows) * width);
  compute.linear(weights.kv_a_proj, in.x, in.rows, wide);
  if (weights.kv_a_layernorm) compute.rms_norm(weights.kv_a_layernorm, 1e-6, {wide, width}, in.rows, {wide, width});
  rotate(compute.stream, rope, in.positions, {wide + latent, width}, in.rows, 1, 0);
  return weights.kv_latent_proj ? project_latents(weights.kv_latent_proj, wide, in.rows, compute) : wide;
}

float* LatentLayer::project_latents(const Weight& projection, float* wide, int rows, DeviceCompute& compute) const {
  const int c = projection.rows, trained = projection.cols, r = a_.qk_rope_head_dim;
  float* const out = compute.scratch.get(Slot::projected, std::int64_t(rows) * (c + r));
  compute.linear({projection, {}}, {wide, trained + r}, rows, {out, c + r});
  copy_block(compute.stream, {wide + trained, out + c, trained + r, 0, c + r, 0, rows, 1, r});
  return out;
}

Rows LatentLayer::expand(const AttentionWeights& weights, Rows rows, int count, int values, DeviceCompute& compute) const {
  float* const up = compute.scratch.get(Slot::up, std::int64_t(count) * weights.kv_b_proj.weight.rows);
  compute.linear(weights.kv_b_proj, rows, count, {up, weights.kv_b_proj.weight.rows});
  const Rows out{compute.scratch.get(Slot::row, std::int64_t(count) * values), values};
  const int n = value_row(), r = toy_ ? 0 : a_.qk_rope_head_dim;
  expand_rows(compute.stream, {up, rows, out, count, a_.num_attention_heads, n, r, a_.v_head_dim, a_.kv_lora_rank, toy_});
  return out;
}

float* LatentLayer::append(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                           const CacheView& cache, DeviceCompute& compute) const {
  float* const latents = compress(weights, in, rope, compute);
  Rows rows{latents, compressed()};
  if (expanded_) rows = expand(weights, rows, in.rows, cache.row.values, compute);
  append_rows(compute.stream, cache, in.positions, rows, in.rows);
  compute.work.cache_write_bytes += std::int64_t(in.rows) * cache.row.bytes;
  return latents;
}

DeviceQueries LatentLayer::query(const AttentionWeights& weights, const DeviceRows& in, const RopeView& rope,
                                 DeviceCompute& compute) const {
  const bool direct = a_.q_lora_rank == 0;
  const Linear& last = direct || toy_ ? weights.q_proj : weights.q_b_proj;
  float* x = in.x;
  if (!direct) {
    const Rows latent{compute.scratch.get(Slot::query_latent, std::int64_t(in.rows) * a_.q_lora_rank), a_.q_lora_rank};
    compute.linear(weights.q_a_proj, {x, a_.hidden_size}, in.rows, latent);
    if (weights.q_a_layernorm) compute.rms_norm(weights.q_a_layernorm, 1e-6, latent, in.rows, latent);
    x = latent.data;
  }
  float* const q = compute.scratch.get(Slot::query, std::int64_t(in.rows) * last.weight.rows);
  compute.linear(last, x, in.rows, q);
  DeviceQueries queries = split(a_, scale_, q, in, rope, compute);
  if (absorbed_ && !toy_) queries.nope = fold(weights.kv_b_proj.weight, queries.nope, in.rows, compute);
  return queries;
}

// q' = q_nope W_UK: the key half of kv_b_proj moves from every cached token to the one query.
float* LatentLayer::fold(const Weight& weight, float* q_nope, int rows, DeviceCompute& compute) const {
  const int heads = a_.num_attention_heads, n = a_.qk_nope_head_dim, c = a_.kv_lora_rank;
  Product product;
  product.weight = compute.matrix(weight);
  product.x = {q_nope, heads * n};
  product.y = {compute.scratch.get(Slot::q_folded, std::int64_t(rows) * heads * c), heads * c};
  product.m = rows;
  product.n = n;
  product.heads = heads;
  product.head_rows = up_rows();
  product.x_head = n;
  product.y_head = c;
  multiply_transposed(compute.stream, product);
  compute.work.count_product(std::int64_t(rows) * heads, c, n, heads * n * weight.row_bytes());
  return product.y.data;
}

float* LatentLayer::finish(const AttentionWeights& weights, float* sums, int rows, DeviceCompute& compute) const {
  if (!absorbed_) return sums;
  const int heads = a_.num_attention_heads, c = a_.kv_lora_rank, v = a_.v_head_dim;
  const Weight& weight = weights.kv_b_proj.weight;
  Product product;
  product.weight = compute.matrix(weight);
  product.bias = compute.vector(weights.kv_b_proj.bias);  // weights sum to 1: a bias of every value is one of their sum
  product.x = {sums, heads * c};
  product.y = {compute.scratch.get(Slot::heads, std::int64_t(rows) * heads * v), heads * v};
  product.m = rows;
  product.n = v;
  product.first_row = value_row();
  product.heads = heads;
  product.head_rows = up_rows();
  product.x_head = c;
  product.y_head = v;
  multiply(compute.stream, compute.device, product);
  compute.work.count_product(std::int64_t(rows) * heads, v, c, heads * v * weight.row_bytes());
  return product.y.data;
}

}  // namespace

std::unique_ptr<DeviceLayer> make_device_latent_layer(const ModelSpec& spec, AttentionPath path) {
  return std::make_unique<LatentLayer>(spec, path);
}

}  // namespace mla::gpu
