#include "core/analysis/rank_lens.h"

#include <algorithm>
#include <numeric>

#include "core/tensor/kernels.h"
#include "core/tensor/thread_pool.h"

namespace mla {
namespace {

/// A weight [rows, cols] that fill(values) writes.
template <class Fill>
Weight make_weight(std::string name, int rows, int cols, Fill fill) {
  auto values = std::make_shared<Buffer<float>>(std::size_t(rows) * cols);
  fill(values->data());
  return {std::move(name), rows, cols, std::move(values), 0};
}

Weight ones(const Weight& like) {
  return make_weight(like.name, like.rows, like.cols,
                     [&](float* out) { std::fill_n(out, std::size_t(like.rows) * like.cols, 1.0f); });
}

/// The first `rows` rows and `cols` columns.
Weight corner(const Weight& weight, int rows, int cols, std::string name) {
  return make_weight(std::move(name), rows, cols, [&](float* out) {
    for (int i = 0; i < rows; ++i)
      std::copy_n(weight.data() + std::ptrdiff_t(i) * weight.cols, cols, out + std::ptrdiff_t(i) * cols);
  });
}

void truncate_latent_layer(const LayerFactors& factors, int rank, AttentionWeights& w) {
  w.kv_a_layernorm = ones(w.kv_a_layernorm);
  w.kv_latent_proj = corner(factors.right, rank, factors.right.cols, "kv_latent_proj");
  w.kv_b_proj.weight = corner(factors.left, factors.left.rows, rank, w.kv_b_proj.weight.name);
}

/// Rows [first, first + count) of M_k.
Weight product(const LayerFactors& factors, int rank, int first, int count, const std::string& name, ThreadPool& pool) {
  constexpr int step = 64;
  const int cols = factors.right.cols, left = factors.left.cols;
  const Kernels& kernels = *available_kernels().back();
  return make_weight(name, count, cols, [&](float* out) {
    std::fill_n(out, std::size_t(count) * cols, 0.0f);
    pool.run((count + step - 1) / step, [&](int item, int) {
      const int from = item * step;
      kernels.gemm_nn(std::min(step, count - from), cols, rank, factors.left.data() + std::ptrdiff_t(first + from) * left,
                      left, factors.right.data(), cols, out + std::ptrdiff_t(from) * cols, cols, nullptr);
    });
  });
}

void truncate_grouped_layer(const LayerFactors& factors, int rank, LayerWeights& layer, ThreadPool& pool) {
  AttentionWeights& w = layer.attention;
  const int keys = w.k_proj.weight.rows, values = w.v_proj.weight.rows;
  layer.input_norm = ones(layer.input_norm);
  w.q_proj.weight = factors.query;
  w.k_proj.weight = product(factors, rank, 0, keys, w.k_proj.weight.name, pool);
  w.v_proj.weight = product(factors, rank, keys, values, w.v_proj.weight.name, pool);
}

}  // namespace

double RankFactors::energy_kept(int layer, int rank) const {
  const std::vector<double>& energies = layers[layer].energies;
  const double all = std::accumulate(energies.begin(), energies.end(), 0.0);
  return all > 0 ? std::accumulate(energies.begin(), energies.begin() + rank, 0.0) / all : 1;
}

std::int64_t lens_bytes(const ModelSpec& spec, int layers) {
  const AttentionSpec& a = spec.attention;
  const std::int64_t heads = a.num_attention_heads, inputs = a.is_mla() ? a.latent_dim() : a.hidden_size;
  const std::int64_t outputs =
      a.is_mla() ? heads * (a.qk_nope_head_dim + a.v_head_dim) : 2ll * a.num_key_value_heads * a.head_dim();
  const std::int64_t rank = full_lens_rank(a), query = a.is_mla() ? 0 : heads * a.head_dim() * inputs;
  const std::int64_t factors = rank * (outputs + inputs) + query, truncated = a.is_mla() ? factors : outputs * inputs;
  return 4 * layers * (factors + truncated);
}

int stored_values(const ModelSpec& spec, int rank) {
  return spec.attention.is_mla() ? rank + spec.attention.qk_rope_head_dim : rank;
}

Result<TruncatedModel> truncate_latent(const ModelWeights& weights, const RankFactors& factors, int rank, int threads) {
  const std::string text = "rank lens: rank is " + std::to_string(rank);
  if (rank < 1 || rank > factors.full_rank())
    return Error{text + ": must be from 1 to " + std::to_string(factors.full_rank())};
  if (weights.layers.size() != factors.layers.size())
    return Error{text + ": " + std::to_string(factors.layers.size()) + " layers were decomposed, the model has " +
                 std::to_string(weights.layers.size())};
  try {
    ThreadPool pool(threads > 0 ? threads : default_threads());
    TruncatedModel out{factors.spec, nullptr, rank, {}, stored_values(factors.spec, rank)};
    auto changed = std::make_shared<ModelWeights>(weights);
    changed->files.clear();  // no checkpoint has these values
    AttentionSpec& a = out.spec.attention;
    if (a.is_mla()) {
      a.trained_kv_lora_rank = a.kv_lora_rank;
      a.kv_lora_rank = rank;
    }
    for (std::size_t l = 0; l < factors.layers.size(); ++l) {
      if (a.is_mla()) {
        truncate_latent_layer(factors.layers[l], rank, changed->layers[l].attention);
      } else {
        truncate_grouped_layer(factors.layers[l], rank, changed->layers[l], pool);
      }
      out.energy_kept.push_back(factors.energy_kept(int(l), rank));
    }
    out.weights = std::move(changed);
    return out;
  } catch (const std::bad_alloc&) {
    return Error{text + ": out of memory"};
  }
}

Result<std::shared_ptr<const ModelWeights>> apply_lens(std::shared_ptr<const ModelWeights> whole, const ModelSpec& spec,
                                                       const ModelWeights* previous, int threads, const Progress& progress,
                                                       std::stop_token stop) {
  const int rank = lens_rank(spec.attention);
  if (rank == 0) return whole;
  const ModelSpec trained = without_lens(spec);
  std::shared_ptr<const RankFactors> factors;
  if (const RankLens* known = previous ? previous->lens.get() : nullptr;
      known && known->factors->spec == trained && known->whole->files == whole->files && !whole->files.empty() &&
      known->factors->layers.size() == whole->layers.size())
    factors = known->factors;
  if (!factors) {
    auto made = factor_latent(trained, *whole, threads, progress, std::move(stop));
    if (!made) return made.error();
    factors = *made;
  }
  const auto truncated = truncate_latent(*whole, *factors, rank, threads);
  if (!truncated) return truncated.error();
  auto weights = std::make_shared<ModelWeights>(*truncated->weights);
  weights->lens = std::make_shared<const RankLens>(RankLens{std::move(whole), std::move(factors)});
  return std::shared_ptr<const ModelWeights>(std::move(weights));
}

std::string rank_note(const ModelSpec& spec) {
  if (spec.attention.is_mla())
    return "Each layer's latent is projected to its best k directions, which is what the cache then holds beside the "
           "unchanged RoPE key. Nothing is trained again.";
  return "Keys and values come from k stored values a token; keys are rebuilt and rotated at every step, so nothing can be "
         "absorbed. An MLA that absorbs keeps a RoPE key besides, which has to be learned: its cache is larger than these "
         "bytes. The quality is the price of the rank alone; that other key values give up their rotation costs more, and "
         "training afterwards wins some back: neither is counted.";
}

}  // namespace mla
