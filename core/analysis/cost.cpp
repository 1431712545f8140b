#include "core/analysis/cost.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/analysis/memory.h"
#include "core/attention/one_pass.h"
#include "core/engine/chunk.h"
#include "core/spec/parameters.h"

namespace mla {
namespace {

/// As the CUDA backend plans it (gpu/ops/attention_plan.h) where nobody looks at the rows: its matrix units take caches of
/// 16-bit and 8-bit values, in a decode those of latents that serve as keys and values, and many queries at once of any kind
/// whose parts begin at multiples of eight values.
Products products_on_gpu(const Experiment& e, std::int64_t positions) {
  const AttentionSpec& a = e.spec.attention;
  constexpr int few = 8, most_latents = 512;  // positions; columns of a decode's sums
  if (e.cache_dtype == CacheDtype::fp32 || e.spec.block == BlockKind::toy) return Products::fp32;
  if (e.path == AttentionPath::reexpanded || e.path == AttentionPath::uncached) return Products::fp32;
  const bool absorbed = a.is_mla() && e.path == AttentionPath::absorbed;
  const int rope = a.qk_rope_head_dim, nope = absorbed ? a.kv_lora_rank : a.qk_nope_head_dim;
  if (positions < few)
    return absorbed && nope <= most_latents && nope % 16 == 0 && rope % 16 == 0 ? Products::bf16 : Products::fp32;
  const int value = absorbed ? nope : a.v_head_dim;
  return nope % 8 == 0 && rope % 8 == 0 && value % 8 == 0 ? Products::bf16 : Products::fp32;
}

/// As OnePassAttention decides for a decode.
Products products_on_cpu(const Experiment& e, std::int64_t queries) {
  if (queries != 1) return Products::fp32;
  const AttentionSpec& a = e.spec.attention;
  const bool one_head = a.is_mla() ? e.path == AttentionPath::absorbed : a.num_key_value_heads == 1;
  const auto kernels = find_kernels(e.isa);
  if (!one_head || e.path == AttentionPath::uncached || !kernels || !OnePassAttention::takes(a.num_attention_heads))
    return Products::fp32;
  KvLayout layout{
      .nope = a.kv_lora_rank, .rope = a.qk_rope_head_dim, .rope_offset = a.kv_lora_rank, .value = a.kv_lora_rank};
  if (!a.is_mla()) {
    layout.nope = layout.rope_offset = a.qk_nope_head_dim;
    layout.value = layout.value_offset = a.head_dim();
  }
  return OnePassAttention::products(**kernels, RowFormat(cache_row(e.spec, e.path), e.cache_dtype), layout);
}

/// Costs of one pass, booked as the engine books them.
class Tally {
 public:
  explicit Tally(const Experiment& experiment) : e_(experiment), s_(experiment.spec), a_(experiment.spec.attention) {}

  /// `positions` per sequence behind `first` others, through all layers; in the last one only the last `outputs` of them go
  /// further than into the cache.
  void pass(std::int64_t first, std::int64_t positions, std::int64_t outputs) {
    for (int l = 0; l < e_.layers; ++l) {
      append(positions * e_.batch);
      const std::int64_t queries = l + 1 < e_.layers ? positions : outputs, rows = queries * e_.batch;
      if (queries == 0) return;
      query(rows);
      attention(first + positions, queries);
      linear(Stage::output, rows, a_.hidden_size, heads() * a_.v_head_dim);
      feed_forward(l, rows);
    }
  }

  /// So many new tokens of every sequence, looked up.
  void embed(std::int64_t positions) {
    if (s_.vocab_size > 0) at(Stage::other).weight_bytes += positions * e_.batch * row(a_.hidden_size);
  }

  void logits(std::int64_t positions) {
    if (s_.vocab_size > 0 && positions > 0) linear(Stage::other, positions * e_.batch, s_.vocab_size, a_.hidden_size);
  }

  /// Positions in the engine's chunks, since each of them reads the weights anew: `each` gets first, count and whether that
  /// is the last.
  template <class Each>
  void in_chunks(int positions, const Each& each) const {
    for (int done = 0; done < positions;) {
      const int count = chunk_positions(e_, done, positions - done);
      each(done, count, done + count == positions);
      done += count;
    }
  }

  const StepCost& cost() const { return cost_; }

 private:
  Work& at(Stage stage) { return cost_.stages[int(stage)]; }
  bool toy() const { return s_.block == BlockKind::toy; }
  bool cached() const { return e_.path != AttentionPath::uncached; }
  bool expanded() const { return e_.path == AttentionPath::expanded || !cached(); }
  std::int64_t heads() const { return a_.num_attention_heads; }

  /// Bytes of a row of a weight matrix.
  std::int64_t row(std::int64_t cols) const {
    return weight_row_bytes(cols > 1 ? e_.weights_dtype : WeightsDtype::stored, cols);
  }

  void linear(Stage stage, std::int64_t m, std::int64_t n, std::int64_t k) {
    at(stage).operations += 2 * m * n * k;
    at(stage).weight_bytes += n * row(k);
  }

  void append(std::int64_t rows) {
    const std::int64_t d = a_.hidden_size, c = a_.kv_lora_rank;
    if (a_.is_mla()) {
      linear(Stage::append, rows, a_.latent_dim() + a_.qk_rope_head_dim, d);
      if (a_.trained_kv_lora_rank > 0) linear(Stage::append, rows, c, a_.trained_kv_lora_rank);
      if (expanded())
        linear(Stage::append, rows, heads() * (toy() ? a_.v_head_dim : a_.qk_nope_head_dim + a_.v_head_dim), c);
    } else {
      linear(Stage::append, rows, std::int64_t(a_.num_key_value_heads) * a_.head_dim(), d);
      linear(Stage::append, rows, std::int64_t(a_.num_key_value_heads) * a_.head_dim(), d);
    }
    if (cached()) at(Stage::append).cache_write_bytes += rows * cache_bytes_per_token(s_, e_.path, e_.cache_dtype, 1);
  }

  void query(std::int64_t rows) {
    const std::int64_t d = a_.hidden_size, width = heads() * (a_.qk_nope_head_dim + a_.qk_rope_head_dim);
    if (a_.q_lora_rank == 0) {
      linear(Stage::query, rows, width, d);
    } else {
      linear(Stage::query, rows, a_.q_lora_rank, d);
      linear(Stage::query, rows, width, a_.q_lora_rank);
    }
    if (a_.is_mla() && e_.path == AttentionPath::absorbed && !toy()) {
      at(Stage::query).operations += 2 * rows * heads() * a_.qk_nope_head_dim * a_.kv_lora_rank;
      at(Stage::query).weight_bytes += heads() * a_.qk_nope_head_dim * row(a_.kv_lora_rank);
    }
  }

  /// `keys` in all, for the last `queries` of them, in every sequence.
  void attention(std::int64_t keys, std::int64_t queries) {
    const std::int64_t pairs = e_.batch * heads() * (queries * keys - queries * (queries - 1) / 2);
    const std::int64_t c = a_.kv_lora_rank, n = a_.qk_nope_head_dim, r = a_.qk_rope_head_dim, v = a_.v_head_dim;
    const bool absorbed = a_.is_mla() && e_.path == AttentionPath::absorbed;
    const std::int64_t scores = 2 * pairs * (absorbed ? c + r : n + r), values = 2 * pairs * (absorbed ? c : v);
    at(Stage::scores).operations += scores;
    at(Stage::values).operations += values;
    const Products products = e_.backend == "cuda" ? products_on_gpu(e_, queries) : products_on_cpu(e_, queries);
    if (products != Products::fp32) {
      (products == Products::int8 ? cost_.int8_operations : cost_.bf16_operations)[int(Stage::scores)] += scores;
      cost_.bf16_operations[int(Stage::values)] += values;
    }
    if (a_.is_mla() && e_.path == AttentionPath::reexpanded) {
      if (!toy()) rebuild(Stage::scores, keys, n);
      rebuild(Stage::values, keys, v);
    }
    if (absorbed) {  // W_UV, once per query
      at(Stage::values).operations += 2 * queries * e_.batch * heads() * v * c;
      at(Stage::values).weight_bytes += heads() * v * row(c);
    }
    if (cached()) read_cache(keys);
  }

  void rebuild(Stage stage, std::int64_t keys, std::int64_t width) {
    at(stage).operations += 2 * e_.batch * keys * heads() * width * a_.kv_lora_rank;
    at(stage).weight_bytes += e_.batch * heads() * width * row(a_.kv_lora_rank);
  }

  void read_cache(std::int64_t keys) {
    const std::vector<RowSegment> segments = cache_row(s_, e_.path);
    const std::int64_t row = row_bytes(segments, e_.cache_dtype) * e_.batch;
    const bool apart = !a_.is_mla() || expanded();  // values are read by the sums, latents were read by the scores already
    const std::int64_t value_part = apart ? segment_bytes(segments.back(), e_.cache_dtype) * e_.batch : 0;
    at(Stage::scores).cache_read_bytes += (row - value_part) * keys;
    at(Stage::values).cache_read_bytes += value_part * keys;
  }

  void feed_forward(int l, std::int64_t rows) {
    const std::int64_t d = a_.hidden_size, f = s_.intermediate_size;
    if (s_.block == BlockKind::attention) return;
    if (s_.is_moe_layer(l)) return experts(*s_.moe, rows);
    for (int i = 0; i < (toy() ? 1 : 2); ++i) linear(Stage::feed_forward, rows, f, d);
    linear(Stage::feed_forward, rows, d, f);
  }

  void experts(const MoeSpec& moe, std::int64_t rows) {
    const std::int64_t d = a_.hidden_size, f = moe.moe_intermediate_size, shared = moe.shared_width();
    at(Stage::feed_forward).operations += 2 * rows * moe.n_routed_experts * d;
    at(Stage::feed_forward).weight_bytes += 4 * moe.n_routed_experts * d;  // the router's stay fp32
    at(Stage::feed_forward).operations += 2 * rows * moe.num_experts_per_tok * 3 * d * f;
    at(Stage::feed_forward).weight_bytes += std::llround(double(2 * f * row(d) + d * row(f)) * experts_read(moe, rows));
    if (shared == 0) return;
    for (int i = 0; i < 2; ++i) linear(Stage::feed_forward, rows, shared, d);
    linear(Stage::feed_forward, rows, d, shared);
  }

  /// The mean number of different experts that so many rows use, each taking num_experts_per_tok at random.
  static double experts_read(const MoeSpec& moe, std::int64_t rows) {
    if (rows == 1) return moe.num_experts_per_tok;
    const double all = moe.n_routed_experts;
    return all * (1 - std::pow(1 - moe.num_experts_per_tok / all, double(rows)));
  }

  const Experiment& e_;
  const ModelSpec& s_;
  const AttentionSpec& a_;
  StepCost cost_;
};

}  // namespace

Work StepCost::total() const {
  Work total;
  for (const Work& work : stages) total += work;
  return total;
}

StepCost decode_cost(const Experiment& experiment, int cached) {
  Tally tally(experiment);
  if (experiment.path == AttentionPath::uncached) {
    tally.in_chunks(cached + 1, [&](int first, int count, bool) { tally.pass(first, count, count); });
  } else {
    tally.pass(cached, 1, 1);
  }
  tally.embed(1);
  tally.logits(1);
  return tally.cost();
}

StepCost prefill_cost(const Experiment& experiment, int tokens, bool all_outputs) {
  Tally tally(experiment);
  const bool uncached = experiment.path == AttentionPath::uncached;
  tally.in_chunks(tokens, [&](int first, int count, bool last) {
    const int outputs = all_outputs ? count : last ? 1 : 0;
    tally.pass(first, count, uncached ? count : outputs);
    tally.logits(outputs);
  });
  tally.embed(tokens);
  return tally.cost();
}

double bandwidth_gb_s(std::int64_t bytes, const Ceilings& ceilings) {
  return bytes <= ceilings.cached_bytes && ceilings.cached_read_gb_s > 0 ? ceilings.cached_read_gb_s : ceilings.read_gb_s;
}

StageTimes roofline_stages(const StepCost& cost, const Ceilings& ceilings) {
  StageTimes ms{};
  if (!ceilings.measured()) return ms;
  const double bandwidth = bandwidth_gb_s(cost.total().bytes(), ceilings);
  for (int stage = 0; stage < kStages; ++stage) {
    const Work& work = cost.stages[stage];
    const double pairs = ceilings.bf16_gflop_s > 0 ? double(cost.bf16_operations[stage]) : 0;
    const double bytes = ceilings.int8_gop_s > 0 ? double(cost.int8_operations[stage]) : 0;
    const double computing = (double(work.operations) - pairs - bytes) / (ceilings.fp32_gflop_s * 1e6) +
                             (pairs > 0 ? pairs / (ceilings.bf16_gflop_s * 1e6) : 0) +
                             (bytes > 0 ? bytes / (ceilings.int8_gop_s * 1e6) : 0);
    ms[stage] = std::max(double(work.bytes()) / (bandwidth * 1e6), computing);
  }
  return ms;
}

double roofline_ms(const StepCost& cost, const Ceilings& ceilings) {
  const StageTimes ms = roofline_stages(cost, ceilings);
  return std::accumulate(ms.begin(), ms.end(), 0.0);
}

}  // namespace mla
