#include <algorithm>

#include "core/attention/attention_layer.h"

namespace mla {
namespace {

/// MLA. A compressed row is the latent (after its norm), then the RoPE key (after its rotation). An expanded row is
/// K [H, n + r], then V [H, v], the RoPE key repeated for every head as a plain port keeps it.
///
/// The tutorial's toy block is the case without norms and RoPE whose W_qk is already absorbed: its keys are the latents on
/// every path, and only its values (with a bias) can be expanded.
///
/// The rank lens is the case whose latent is projected once more between its norm and the cache.
class LatentLayer : public AttentionLayer {
 public:
  LatentLayer(const ModelSpec& spec, AttentionPath path)
      : a_(spec.attention),
        toy_(spec.block == BlockKind::toy),
        path_(path == AttentionPath::uncached ? AttentionPath::expanded : path),
        scale_(float(score_scale(spec))) {}

  int summed_values() const override { return absorbed() ? a_.kv_lora_rank : a_.v_head_dim; }

  KvView view(const AttentionWeights& weights, const KvCache& cache) const override;
  void query(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
             Queries& out) const override;
  void append(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation, Compute& compute,
              std::vector<KvCache>& caches, std::vector<float>* latents) const override;
  void finish(const AttentionWeights& weights, const float* sums, int rows, Compute& compute,
              float* heads_out) const override;
  void count_scores(const AttentionProblem& problem, Work& work) const override;
  void count_values(const AttentionProblem& problem, Work& work) const override;

 private:
  bool absorbed() const { return path_ == AttentionPath::absorbed; }
  int compressed() const { return a_.kv_lora_rank + a_.qk_rope_head_dim; }
  /// Columns of an expanded row before its values.
  int key_columns() const { return toy_ ? a_.kv_lora_rank : a_.num_attention_heads * a_.head_dim(); }
  /// Rows of kv_b_proj per head, and which of them hold its values.
  int up_rows() const { return value_row() + a_.v_head_dim; }
  int value_row() const { return toy_ ? 0 : a_.qk_nope_head_dim; }
  /// A row of kv_b_proj, counted within its head.
  int up(int head, int row) const { return head * up_rows() + row; }
  void fold_key_projection(const AttentionWeights& weights, int rows, Compute& compute, Queries& queries) const;
  std::vector<float> compress(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation,
                              Compute& compute) const;
  std::vector<float> project_latents(const Weight& projection, const std::vector<float>& wide, int rows,
                                     Compute& compute) const;
  void expand_row(const float* compressed_row, const float* up_projected, std::vector<float>& out) const;

  AttentionSpec a_;
  bool toy_;
  AttentionPath path_;
  float scale_;
};

KvView LatentLayer::view(const AttentionWeights& weights, const KvCache& cache) const {
  const int c = a_.kv_lora_rank, n = a_.qk_nope_head_dim, r = a_.qk_rope_head_dim, v = a_.v_head_dim,
            heads = a_.num_attention_heads;
  KvView view{&cache, {}, {}};
  KvLayout& l = view.layout;
  if (absorbed()) {
    l = {.kv_heads = 1, .nope = c, .rope = r, .rope_offset = c, .value = c};
    return view;
  }
  l = {.kv_heads = heads, .nope = n, .rope = r, .rope_offset = c, .value = v};
  if (path_ == AttentionPath::expanded) {
    l.value_offset = key_columns();
    l.value_stride = v;
    if (!toy_) {
      l.nope_stride = l.rope_stride = n + r;
      l.rope_offset = n;
    }
    return view;
  }
  weights.kv_b_proj.weight.make();  // on this thread, where memory that runs out can be reported
  view.up = {.latent = c,
             .weight = &weights.kv_b_proj.weight,
             .key = toy_ ? -1 : 0,
             .value = value_row(),
             .head_rows = up_rows(),
             .bias = weights.kv_b_proj.bias ? weights.kv_b_proj.bias.data() : nullptr};
  return view;
}

void LatentLayer::query(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation,
                        Compute& compute, Queries& out) const {
  std::vector<float> compressed_query, q;
  const auto project = [&](const Linear& linear, const float* in) {
    q.resize(std::size_t(rows) * linear.weight.rows);
    compute.linear(linear, in, rows, q.data());
  };
  if (a_.q_lora_rank == 0) {
    project(weights.q_proj, x);
  } else {
    compressed_query.resize(std::size_t(rows) * a_.q_lora_rank);
    compute.linear(weights.q_a_proj, x, rows, compressed_query.data());
    if (weights.q_a_layernorm)
      compute.rms_norm(weights.q_a_layernorm, 1e-6, compressed_query.data(), rows, compressed_query.data());
    project(toy_ ? weights.q_proj : weights.q_b_proj, compressed_query.data());
  }
  split_queries(q.data(), rows, a_, scale_, rotation, out);
  if (absorbed() && !toy_) fold_key_projection(weights, rows, compute, out);
}

// q' = q_nope W_UK: the key half of kv_b_proj moves from every cached token to the one query.
void LatentLayer::fold_key_projection(const AttentionWeights& weights, int rows, Compute& compute, Queries& queries) const {
  const int heads = a_.num_attention_heads, n = a_.qk_nope_head_dim, c = a_.kv_lora_rank;
  std::vector<float> folded(std::size_t(rows) * heads * c, 0.0f);
  const Weight& weight = weights.kv_b_proj.weight;
  compute.prepare(weight, 2);  // rows become fp32 for one query too
  compute.count(std::int64_t(rows) * heads, c, n, heads * n * weight.row_bytes());
  compute.pool.run(heads, [&](int h, int thread) {
    float* wide = compute.scratch(thread);
    const int step = weight.narrow ? Compute::kFewRows : n;
    for (int i = 0; i < n; i += step)
      compute.kernels.gemm_nn(rows, c, std::min(step, n - i), queries.nope.data() + std::ptrdiff_t(h) * n + i,
                              std::ptrdiff_t(heads) * n, weight.read(compute.kernels, up(h, i), std::min(step, n - i), wide),
                              c, folded.data() + std::ptrdiff_t(h) * c, std::ptrdiff_t(heads) * c, nullptr);
  });
  queries.nope.swap(folded);
}

/// Latents (after norm and projection) and RoPE keys (after rotation) of x [rows, d]: [rows, c + r].
std::vector<float> LatentLayer::compress(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation,
                                         Compute& compute) const {
  const int latent = a_.latent_dim(), width = latent + a_.qk_rope_head_dim;
  std::vector<float> out(std::size_t(rows) * width);
  compute.linear(weights.kv_a_proj, x, rows, out.data());
  for (int i = 0; i < rows; ++i) {
    float* row = out.data() + std::size_t(i) * width;
    if (weights.kv_a_layernorm) compute.rms_norm(weights.kv_a_layernorm, 1e-6, row, 1, row);
    rotation.rotate(i, row + latent);
  }
  if (weights.kv_latent_proj) out = project_latents(weights.kv_latent_proj, out, rows, compute);
  return out;
}

/// [rows, c + r] of rows that hold the trained latent, then the RoPE key.
std::vector<float> LatentLayer::project_latents(const Weight& projection, const std::vector<float>& wide, int rows,
                                                Compute& compute) const {
  const int c = projection.rows, trained = projection.cols, r = a_.qk_rope_head_dim;
  std::vector<float> in(std::size_t(rows) * trained), projected(std::size_t(rows) * c), out(std::size_t(rows) * (c + r));
  const auto row = [&](int i) { return wide.data() + std::size_t(i) * (trained + r); };
  for (int i = 0; i < rows; ++i) std::copy_n(row(i), trained, in.data() + std::size_t(i) * trained);
  compute.linear({projection, {}}, in.data(), rows, projected.data());
  for (int i = 0; i < rows; ++i) {
    std::copy_n(projected.data() + std::size_t(i) * c, c, out.data() + std::size_t(i) * (c + r));
    std::copy_n(row(i) + trained, r, out.data() + std::size_t(i) * (c + r) + c);
  }
  return out;
}

void LatentLayer::append(const AttentionWeights& weights, const float* x, int rows, const Rotation& rotation,
                         Compute& compute, std::vector<KvCache>& caches, std::vector<float>* latents) const {
  const int c = a_.kv_lora_rank, width = compressed(), batch = int(caches.size());
  const std::vector<float> compressed_rows = compress(weights, x, rows, rotation, compute);
  std::vector<float> latent(std::size_t(rows) * c), expanded, up_projected;
  for (int i = 0; i < rows; ++i) {
    const float* row = compressed_rows.data() + std::size_t(i) * width;
    std::copy_n(row, c, latent.data() + std::size_t(i) * c);
    if (latents && i % batch == 0) latents->insert(latents->end(), row, row + width);
  }
  if (path_ == AttentionPath::expanded) {
    up_projected.resize(std::size_t(rows) * weights.kv_b_proj.weight.rows);
    compute.linear(weights.kv_b_proj, latent.data(), rows, up_projected.data());
  }
  for (int i = 0; i < rows; ++i) {
    const float* row = compressed_rows.data() + std::size_t(i) * width;
    KvCache& cache = caches[i % batch];
    if (path_ == AttentionPath::expanded) {
      expand_row(row, up_projected.data() + std::size_t(i) * weights.kv_b_proj.weight.rows, expanded);
      row = expanded.data();
    }
    cache.store(compute.kernels, cache.grow(1), 0, row, cache.row_values());
    compute.work.cache_write_bytes += cache.row_bytes();
  }
}

void LatentLayer::expand_row(const float* compressed_row, const float* up_projected, std::vector<float>& out) const {
  const int heads = a_.num_attention_heads, n = a_.qk_nope_head_dim, r = a_.qk_rope_head_dim, v = a_.v_head_dim;
  out.resize(std::size_t(key_columns()) + heads * v);
  if (toy_) std::copy_n(compressed_row, a_.kv_lora_rank, out.data());
  for (int h = 0; h < heads; ++h) {
    const float* head = up_projected + std::ptrdiff_t(h) * up_rows();
    if (!toy_) {
      std::copy_n(head, n, out.data() + h * (n + r));
      std::copy_n(compressed_row + a_.kv_lora_rank, r, out.data() + h * (n + r) + n);
    }
    std::copy_n(head + value_row(), v, out.data() + key_columns() + h * v);
  }
}

void LatentLayer::finish(const AttentionWeights& weights, const float* sums, int rows, Compute& compute,
                         float* heads_out) const {
  const int heads = a_.num_attention_heads, c = a_.kv_lora_rank, v = a_.v_head_dim;
  if (!absorbed()) {
    std::copy_n(sums, std::size_t(rows) * heads * v, heads_out);
    return;
  }
  const Weight& weight = weights.kv_b_proj.weight;
  const Weight& bias = weights.kv_b_proj.bias;
  compute.prepare(weight, rows);
  if (bias) bias.make();
  compute.count(std::int64_t(rows) * heads, v, c, heads * v * weight.row_bytes());
  compute.pool.run(heads, [&](int h, int thread) {
    float* out = heads_out + std::ptrdiff_t(h) * v;
    compute.rows(weight, up(h, value_row()), v, sums + std::ptrdiff_t(h) * c, std::ptrdiff_t(heads) * c, rows, out,
                 std::ptrdiff_t(heads) * v, thread);
    if (!bias) return;
    for (int i = 0; i < rows; ++i)  // weights sum to 1, so a bias of every value is a bias of their sum
      for (int j = 0; j < v; ++j) out[std::ptrdiff_t(i) * heads * v + j] += bias.data()[h * v + j];
  });
}

void LatentLayer::count_scores(const AttentionProblem& p, Work& work) const {
  if (path_ != AttentionPath::reexpanded) return AttentionLayer::count_scores(p, work);
  const std::int64_t h = a_.num_attention_heads, n = a_.qk_nope_head_dim, c = a_.kv_lora_rank;
  for (const KvView& kv : p.sequences) {
    work.count_product(causal_pairs(p), 1, n + a_.qk_rope_head_dim, 0);
    if (!toy_) work.count_product(p.keys(), h * n, c, h * n * kv.up.weight->row_bytes());
    work.cache_read_bytes += kv.cache->row_bytes() * p.keys();
  }
}

void LatentLayer::count_values(const AttentionProblem& p, Work& work) const {
  if (path_ != AttentionPath::reexpanded) return AttentionLayer::count_values(p, work);
  const std::int64_t h = a_.num_attention_heads, v = a_.v_head_dim, c = a_.kv_lora_rank;
  for (const KvView& kv : p.sequences) {  // the latents were counted with the scores
    work.count_product(causal_pairs(p), 1, v, 0);
    work.count_product(p.keys(), h * v, c, h * v * kv.up.weight->row_bytes());
  }
}

}  // namespace

std::unique_ptr<AttentionLayer> make_latent_layer(const ModelSpec& spec, AttentionPath path) {
  return std::make_unique<LatentLayer>(spec, path);
}

}  // namespace mla
