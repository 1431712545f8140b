#include "core/engine/cpu_executor.h"

#include <algorithm>
#include <chrono>
#include <new>

#include "core/engine/chunk.h"
#include "core/engine/experts.h"

namespace mla {

CpuExecutor::CpuExecutor(const Experiment& experiment, const Kernels& kernels, std::shared_ptr<const ModelWeights> weights)
    : experiment_(experiment),
      weights_(std::move(weights)),
      pool_(experiment.threads > 0 ? experiment.threads : default_threads()),
      compute_(kernels, pool_),
      attention_(experiment.spec.attention.is_mla() ? make_latent_layer(experiment.spec, experiment.path)
                                                    : make_grouped_query_layer(experiment.spec)),
      kernel_(kernels, pool_),
      one_pass_(kernels, pool_),
      prefill_(kernels, pool_) {
  drop_cache();
}

Result<ForwardOutput> CpuExecutor::forward(const ForwardInput& input) {
  if (positions_ + input.count > experiment_.context)
    return Error{"context " + std::to_string(experiment_.context) + ": " + std::to_string(positions_ + input.count) +
                 " tokens do not fit; raise context"};
  const auto start = std::chrono::steady_clock::now();
  ForwardOutput output;
  try {
    compute_.work = {};
    StageClock clock(compute_);
    if (uncached()) {
      drop_cache();
      run_pass(remembered(input), 0, clock, output);
    } else {
      run_pass(input, positions_, clock, output);
    }
    positions_ += input.count;
    StepTrace& trace = output.trace;
    trace.position = positions_ - 1;
    trace.positions = input.count;
    trace.stages = clock.times();
    trace.split = clock.split();
    trace.work = clock.total_work();
    if (uncached()) {
      trace.work.cache_read_bytes = trace.work.cache_write_bytes = 0;  // those rows were scratch
      for (int l = 0; l < experiment_.layers; ++l) {
        if (keep_latents_ && !experiment_.spec.attention.is_mla()) latents_[l] = rows_of(caches_[l].front());
        for (KvCache& cache : caches_[l]) cache.clear();
      }
    }
    for (const auto& layer : caches_)
      for (const KvCache& cache : layer) {
        trace.cache_bytes += cache.bytes();
        trace.cache_allocated_bytes += cache.allocated_bytes();
      }
    trace.ms = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  } catch (const std::bad_alloc&) {
    reset();
    return Error{"out of memory after " + std::to_string(positions_) + " tokens; lower context, batch or layers"};
  }
  return output;
}

/// The whole history with the new input at its end, as an uncached pass computes it.
ForwardInput CpuExecutor::remembered(const ForwardInput& input) {
  const std::size_t rows = std::size_t(input.count) * batch(), known = inputs_.size();
  inputs_.resize(known + rows * experiment_.spec.attention.hidden_size);
  embed_rows(input, 0, rows, inputs_.data() + known);
  ForwardInput all = input;
  all.tokens = {};
  all.hidden = inputs_;
  all.count = positions_ + input.count;
  return all;
}

void CpuExecutor::run_pass(const ForwardInput& input, int first, StageClock& clock, ForwardOutput& output) {
  const int known = uncached() ? positions_ : 0;  // positions of this pass that are merely recomputed
  for (int done = 0; done < input.count;) {
    Chunk chunk;
    chunk.first = first + done;
    chunk.count = chunk_positions(experiment_, chunk.first, input.count - done);
    chunk.new_from = std::clamp(known - done, 0, chunk.count);
    chunk.last = done + chunk.count == input.count;
    chunk.outputs = input.all_outputs;
    chunk.trace = input.trace;
    chunk.rope = RopeTable(experiment_.spec.attention, chunk.first, chunk.count);
    chunk.hidden.resize(std::size_t(chunk.count) * batch() * experiment_.spec.attention.hidden_size);
    embed_rows(input, std::size_t(done) * batch(), std::size_t(chunk.count) * batch(), chunk.hidden.data());
    clock.end(Stage::other);
    for (int l = 0; l < experiment_.layers; ++l) {
      if (input.stop.stop_requested()) {
        output.cancelled = true;
        return;
      }
      run_layer(l, chunk, clock, output.trace);
    }
    collect(chunk, clock, output);
    done += chunk.count;
  }
}

void CpuExecutor::embed_rows(const ForwardInput& input, std::size_t first, std::size_t rows, float* out) {
  const int d = experiment_.spec.attention.hidden_size;
  if (!input.hidden.empty()) {
    std::copy_n(input.hidden.data() + first * d, rows * d, out);
    return;
  }
  const Weight& embedding = weights_->embed_tokens;
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = embedding.read(compute_.kernels, input.tokens[first + i], 1, out + i * d);
    if (row != out + i * d) std::copy_n(row, d, out + i * d);
  }
  compute_.work.weight_bytes += embedding.row_bytes() * std::int64_t(rows);
}

// In the last layer only positions whose output (or attention row) somebody wants are computed beyond their cache rows.
void CpuExecutor::run_layer(int l, Chunk& chunk, StageClock& clock, StepTrace& trace) {
  const LayerWeights& layer = weights_->layers[l];
  const ModelSpec& spec = experiment_.spec;
  const int d = spec.attention.hidden_size, rows = chunk.count * batch();
  const bool toy = spec.block == BlockKind::toy, final_layer = l + 1 == experiment_.layers;
  const bool all = !final_layer || chunk.outputs || uncached();
  const int from = all ? 0 : chunk.last ? chunk.count - 1 : chunk.count;

  std::vector<float> normed;
  if (!toy) {
    normed.resize(std::size_t(rows) * d);
    compute_.rms_norm(layer.input_norm, spec.rms_norm_eps, chunk.hidden.data(), rows, normed.data());
    clock.end(Stage::other);
  }
  std::vector<float> attended;
  attend(l, chunk, from, toy ? chunk.hidden.data() : normed.data(), attended, clock, trace);

  chunk.hidden.erase(chunk.hidden.begin(), chunk.hidden.begin() + std::ptrdiff_t(from) * batch() * d);
  for (std::size_t i = 0; i < chunk.hidden.size(); ++i) chunk.hidden[i] += attended[i];
  const int left = (chunk.count - from) * batch();
  if (toy) compute_.layer_norm(layer.input_norm, layer.input_norm_bias, chunk.hidden.data(), left);
  clock.end(Stage::output);
  if (spec.block != BlockKind::attention && left > 0) feed_forward(l, chunk.hidden, left);
  clock.end(Stage::feed_forward);
}

void CpuExecutor::attend(int l, Chunk& chunk, int from, const float* normed, std::vector<float>& out, StageClock& clock,
                         StepTrace& trace) {
  const AttentionWeights& weights = weights_->layers[l].attention;
  const AttentionSpec& a = experiment_.spec.attention;
  const int d = a.hidden_size, rows = chunk.count * batch();
  std::vector<KvCache>& caches = caches_[l];
  const bool traced = chunk.trace.wants(l);
  const int query_from = traced ? std::min(from, chunk.new_from) : from;
  const bool keep = keep_latents_ && a.is_mla() && latents_lost();
  attention_->append(weights, normed, rows, {chunk.rope, 0, batch()}, compute_, caches, keep ? &latents_[l] : nullptr);
  clock.end(Stage::append);
  if (query_from == chunk.count) return;

  AttentionProblem problem;
  for (const KvCache& cache : caches) problem.sequences.push_back(attention_->view(weights, cache));
  problem.first = chunk.first + query_from;
  problem.positions = chunk.count - query_from;
  problem.heads = a.num_attention_heads;
  Queries queries;
  attention_->query(weights, normed + std::ptrdiff_t(query_from) * batch() * d, problem.positions * batch(),
                    {chunk.rope, query_from, batch()}, compute_, queries);
  problem.q_nope = queries.nope.data();
  problem.q_rope = queries.rope.data();
  clock.end(Stage::query);

  if (OnePassAttention::handles(problem)) {
    const bool recomputed = chunk.new_from - query_from >= problem.positions;  // its row was recorded in its own pass
    return attend_once(problem, weights, traced && !recomputed ? l : -1, out, clock, trace);
  }
  if (!traced && PrefillAttention::handles(problem)) return attend_unseen(problem, weights, out, clock);
  kernel_.scores(problem);
  attention_->count_scores(problem, compute_.work);
  clock.end(Stage::scores);
  kernel_.softmax(problem, traced);
  clock.end(Stage::softmax);
  if (traced)
    for (int i = chunk.new_from - query_from; i < problem.positions; ++i)
      trace.attention.push_back(kernel_.row(problem, i, l));
  clock.end(Stage::other);
  if (from == chunk.count) return;

  const int out_rows = (chunk.count - from) * batch();
  std::vector<float> sums(std::size_t(out_rows) * a.num_attention_heads * attention_->summed_values());
  kernel_.values(problem, from - query_from, sums.data());
  attention_->count_values(problem, compute_.work);
  project(weights, sums, out_rows, out, clock);
}

/// A decode step in one pass over the cache; `seen`: the layer whose row is wanted, or -1.
void CpuExecutor::attend_once(const AttentionProblem& problem, const AttentionWeights& weights, int seen,
                              std::vector<float>& out, StageClock& clock, StepTrace& trace) {
  std::vector<float> sums(std::size_t(batch()) * problem.heads * attention_->summed_values());
  std::shared_ptr<AttentionRow> row;
  if (seen >= 0) {
    row = std::make_shared<AttentionRow>();
    row->layer = seen;
    trace.attention.push_back(row);
  }
  count_and_share(problem, one_pass_.run(problem, sums.data(), row.get()), clock);
  project(weights, sums, batch(), out, clock);
}

/// A prefill where nobody looks at the rows: likewise.
void CpuExecutor::attend_unseen(const AttentionProblem& problem, const AttentionWeights& weights, std::vector<float>& out,
                                StageClock& clock) {
  const int rows = problem.positions * batch();
  std::vector<float> sums(std::size_t(rows) * problem.heads * attention_->summed_values());
  count_and_share(problem, prefill_.run(problem, sums.data()), clock);
  project(weights, sums, rows, out, clock);
}

void CpuExecutor::count_and_share(const AttentionProblem& problem, const StageSeconds& times, StageClock& clock) {
  attention_->count_scores(problem, compute_.work);
  clock.share({{Stage::scores, times.scores}, {Stage::softmax, times.softmax}, {Stage::values, times.values}});
  attention_->count_values(problem, compute_.work);
}

/// out [rows, d] from the sums of each head.
void CpuExecutor::project(const AttentionWeights& weights, const std::vector<float>& sums, int rows, std::vector<float>& out,
                          StageClock& clock) {
  const AttentionSpec& a = experiment_.spec.attention;
  std::vector<float> heads(std::size_t(rows) * a.num_attention_heads * a.v_head_dim);
  attention_->finish(weights, sums.data(), rows, compute_, heads.data());
  clock.end(Stage::values);
  out.resize(std::size_t(rows) * a.hidden_size);
  compute_.linear(weights.o_proj, heads.data(), rows, out.data());
}

void CpuExecutor::feed_forward(int l, std::vector<float>& hidden, int rows) {
  const LayerWeights& layer = weights_->layers[l];
  const ModelSpec& spec = experiment_.spec;
  std::vector<float> added(hidden.size());
  if (spec.block == BlockKind::toy) {
    std::vector<float> inner(std::size_t(rows) * spec.intermediate_size);
    compute_.linear(layer.gate_proj, hidden.data(), rows, inner.data());
    for (float& x : inner) x = std::max(x, 0.0f);
    compute_.linear(layer.down_proj, inner.data(), rows, added.data());
  } else {
    std::vector<float> normed(hidden.size());
    compute_.rms_norm(layer.post_norm, spec.rms_norm_eps, hidden.data(), rows, normed.data());
    if (spec.is_moe_layer(l)) {
      mix_experts(*spec.moe, layer.moe, normed.data(), rows, compute_, added.data());
    } else {
      swiglu(layer.gate_proj, layer.up_proj, layer.down_proj, normed.data(), rows, compute_, added.data());
    }
  }
  for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] += added[i];
  if (spec.block == BlockKind::toy) compute_.layer_norm(layer.post_norm, layer.post_norm_bias, hidden.data(), rows);
}

void CpuExecutor::collect(const Chunk& chunk, StageClock& clock, ForwardOutput& output) {
  const ModelSpec& spec = experiment_.spec;
  const int d = spec.attention.hidden_size, rows = int(chunk.hidden.size()) / d;
  const int wanted = chunk.outputs ? (chunk.count - chunk.new_from) * batch() : chunk.last ? batch() : 0;
  if (wanted > 0) {
    const float* hidden = chunk.hidden.data() + std::ptrdiff_t(rows - wanted) * d;
    output.hidden.insert(output.hidden.end(), hidden, hidden + std::ptrdiff_t(wanted) * d);
    if (weights_->lm_head) {
      std::vector<float> normed(std::size_t(wanted) * d);
      compute_.rms_norm(weights_->norm, spec.rms_norm_eps, hidden, wanted, normed.data());
      const std::size_t at = output.logits.size();
      output.logits.resize(at + std::size_t(wanted) * spec.vocab_size);
      compute_.linear({weights_->lm_head, {}}, normed.data(), wanted, output.logits.data() + at);
    }
  }
  clock.end(Stage::other);
}

}  // namespace mla
