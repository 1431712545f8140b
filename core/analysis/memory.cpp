#include "core/analysis/memory.h"

#include <algorithm>
#include <initializer_list>
#include <limits>

#include "core/analysis/free_memory.h"
#include "core/attention/one_pass.h"
#include "core/cache/kv_cache.h"
#include "core/engine/chunk.h"
#include "core/model/weights.h"
#include "core/spec/cache_row.h"
#include "core/spec/format.h"
#include "core/spec/parameters.h"
#include "core/tensor/thread_pool.h"

namespace mla {

namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

/// The product of numbers that are not negative, or the largest integer where it is larger.
std::int64_t product(std::initializer_list<std::int64_t> factors) {
  std::int64_t result = 1;
  for (const std::int64_t factor : factors) {
    if (factor == 0) return 0;
    if (__builtin_mul_overflow(result, factor, &result)) result = kMost;
  }
  return result;
}

std::int64_t sum(std::initializer_list<std::int64_t> terms) {
  std::int64_t result = 0;
  for (const std::int64_t term : terms) {
    if (__builtin_add_overflow(result, term, &result)) result = kMost;
  }
  return result;
}

std::string label_of(const AttentionSpec& a, AttentionPath path) {
  if (!a.is_mla()) return title_of(a);
  return path == AttentionPath::expanded ? "MLA expanded" : "MLA latent";
}

std::string own_label(const Experiment& e) {
  const AttentionSpec& a = e.spec.attention;
  if (e.path == AttentionPath::uncached) return title_of(a) + " uncached";
  const bool latent = a.is_mla() && e.path != AttentionPath::expanded;
  return label_of(a, e.path) + (latent ? " (" + std::string(name_of(e.path)) + ")" : "");
}

MemoryLine line_of(const Experiment& e, const ModelSpec& spec, AttentionPath path, std::string label) {
  MemoryLine line{spec.attention.variant, path, std::move(label)};
  line.bytes_per_token = cache_bytes_per_token(spec, path, e.cache_dtype, spec.num_hidden_layers);
  line.total_bytes = product({line.bytes_per_token, e.context, e.batch});
  return line;
}

/// fp32 values of one position inside a feed-forward: gate and up; with experts also the router's logits, the rows that one
/// expert takes and gives, and what the shared experts give.
std::int64_t feed_forward_values(const ModelSpec& spec) {
  const std::int64_t dense = 2ll * spec.intermediate_size;
  if (!spec.moe) return dense;
  const std::int64_t widest = std::max(spec.moe->moe_intermediate_size, spec.moe->shared_width());
  return std::max<std::int64_t>(dense, spec.moe->n_routed_experts + 4ll * spec.moe->num_experts_per_tok + 2 * widest +
                                           2ll * spec.attention.hidden_size);
}

/// Bytes of experts that a run cannot reach, because its tokens are too few to be routed to all.
std::int64_t unreachable_bytes(const Experiment& e) {
  if (!e.spec.moe) return 0;
  const MoeSpec& moe = *e.spec.moe;
  const std::int64_t routes = product({e.context, e.batch, moe.num_experts_per_tok});
  const std::int64_t idle = std::max<std::int64_t>(0, moe.n_routed_experts - routes);
  std::int64_t layers = 0;
  for (int l = 0; l < e.layers; ++l) layers += e.spec.is_moe_layer(l);
  const std::int64_t d = e.spec.attention.hidden_size, f = moe.moe_intermediate_size;
  return product({layers, idle, 2 * f * weight_row_bytes(e.weights_dtype, d) + d * weight_row_bytes(e.weights_dtype, f)});
}

/// A checkpoint's largest tensor as fp32, once for each thread, where its values are then rounded to a narrower type.
std::int64_t converted_bytes(const Experiment& e) {
  if (e.model.empty() || e.weights_dtype == WeightsDtype::stored) return 0;
  std::int64_t largest = 0;
  for_each_parameter(e.spec, e.layers,
                     [&](const ParameterShape& shape) { largest = std::max(largest, shape.rows * shape.cols); });
  return product({4, largest, e.threads > 0 ? e.threads : default_threads()});
}

/// fp32 values of one position on its way through a layer: residual, norm and output, queries before and after they are
/// split and folded, the sums of every head, the feed-forward.
std::int64_t activation_values(const ModelSpec& spec, AttentionPath path) {
  const AttentionSpec& a = spec.attention;
  const std::int64_t heads = a.num_attention_heads;
  const std::int64_t folded = path == AttentionPath::absorbed ? 2 * heads * a.kv_lora_rank : 0;
  const std::int64_t row = cache_values_per_token(spec, path == AttentionPath::uncached ? AttentionPath::expanded : path);
  const std::int64_t projected = a.trained_kv_lora_rank > 0 ? 2ll * a.trained_kv_lora_rank + a.qk_rope_head_dim : 0;
  return 4ll * a.hidden_size + projected + 2 * heads * a.head_dim() + a.q_lora_rank + folded + 2 * row +
         2 * heads * a.v_head_dim + feed_forward_values(spec) + spec.vocab_size;
}

/// What a decode step adds up before it is merged.
std::int64_t sum_bytes(const Experiment& e) {
  const AttentionSpec& a = e.spec.attention;
  const int value = e.path == AttentionPath::absorbed ? a.kv_lora_rank : a.v_head_dim;
  return product({OnePassAttention::most_sum_bytes(a.num_attention_heads, value), e.batch});
}

/// Rows that the cache allocates for a full context: whole blocks.
std::int64_t block_rows(const Experiment& e) {
  constexpr std::int64_t block = KvCache::kBlockTokens;
  return (e.context + block - 1) / block * block;
}

/// What the person should lower: the largest part of the need.
std::string culprit_of(const Experiment& e, const MemoryNeed& need) {
  if (need.weights > sum({need.cache, need.scratch})) {
    const std::string of_all = e.model.empty() ? "" : " of " + std::to_string(e.spec.num_hidden_layers);
    return "hidden-size " + std::to_string(e.spec.attention.hidden_size) + ", layers " + std::to_string(e.layers) + of_all;
  }
  return "context " + std::to_string(e.context) + (e.batch > 1 ? ", batch " + std::to_string(e.batch) : "");
}

}  // namespace

std::int64_t cache_values_per_token(const ModelSpec& spec, AttentionPath path) {
  const AttentionSpec& a = spec.attention;
  if (path == AttentionPath::uncached) return 0;
  if (!a.is_mla()) return 2 * std::int64_t(a.num_key_value_heads) * a.head_dim();
  if (path != AttentionPath::expanded) return a.kv_lora_rank + a.qk_rope_head_dim;
  if (spec.block == BlockKind::toy) return a.kv_lora_rank + std::int64_t(a.num_attention_heads) * a.v_head_dim;
  return std::int64_t(a.num_attention_heads) * (a.head_dim() + a.v_head_dim);
}

std::int64_t cache_bytes_per_token(const ModelSpec& spec, AttentionPath path, CacheDtype dtype, int layers) {
  return product({row_bytes(cache_row(spec, path), dtype), layers});
}

std::vector<MemoryLine> compare_memory(const Experiment& e) {
  const AttentionSpec& own = e.spec.attention;
  std::vector<MemoryLine> lines{line_of(e, e.spec, e.path, own_label(e))};
  const bool cached = e.path != AttentionPath::uncached;
  const auto add = [&](Variant variant, AttentionPath path) {
    const ModelSpec spec = with_variant(e.spec, variant);
    const bool same_cache = (path == AttentionPath::expanded) == (e.path == AttentionPath::expanded);
    if (cached && variant == own.variant && same_cache) return;
    lines.push_back(line_of(e, spec, path, label_of(spec.attention, path)));
  };
  add(Variant::mla, AttentionPath::absorbed);
  for (const Variant variant : {Variant::mla, Variant::mha, Variant::gqa, Variant::mqa})
    add(variant, AttentionPath::expanded);
  return lines;
}

std::int64_t available_memory() { return free_memory_under("/"); }

std::int64_t MemoryNeed::total() const { return sum({weights, cache, scratch}); }

std::int64_t recomputed_bytes(const Experiment& e) {
  if (e.path != AttentionPath::uncached) return 0;
  const std::int64_t rows = product({cache_values_per_token(e.spec, AttentionPath::expanded), e.layers});
  return product({sum({rows, e.spec.attention.hidden_size}), 4, e.context, e.batch});
}

std::int64_t activation_bytes(const Experiment& e) {
  return product({chunk_positions(e, 0, e.context), e.batch, activation_values(e.spec, e.path), 4});
}

MemoryNeed memory_need(const Experiment& e) {
  MemoryNeed need;
  need.weights = parameter_bytes(e.spec, e.layers, e.weights_dtype);
  if (!e.model.empty()) need.weights -= unreachable_bytes(e);  // a checkpoint's are converted on first use
  need.cache = product({cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers), block_rows(e), e.batch});
  const std::int64_t chunk = chunk_positions(e, 0, e.context), each = score_bytes_per_position(e, e.context);
  const std::int64_t scores = std::max(each, std::min(kChunkScoreBytes, product({chunk, each})));
  need.scratch = sum({scores, activation_bytes(e), sum_bytes(e), recomputed_bytes(e), converted_bytes(e)});
  return need;
}

Status check_fits(const Experiment& e, std::int64_t available, std::int64_t shared_weights) {
  MemoryNeed need = memory_need(e);
  // What is held need not be the part that this run reaches.
  const std::int64_t missing = parameter_bytes(e.spec, e.layers, e.weights_dtype) - shared_weights;
  need.weights = std::min(need.weights, std::max<std::int64_t>(0, missing));
  if (e.backend != "cpu") {
    need.cache = 0;
    need.scratch = converted_bytes(e);
  }
  return check_need(e, need, available);
}

Status check_need(const Experiment& e, const MemoryNeed& need, std::int64_t available, std::string_view where) {
  const std::int64_t total = need.total();
  if (total <= available) return {};
  return Error{culprit_of(e, need) + ": the run needs " + format_bytes(total) + " and " + format_bytes(available) +
               " are free" + std::string(where) + "; lower context, batch or layers"};
}

}  // namespace mla
