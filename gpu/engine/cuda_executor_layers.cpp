// The layers of a CudaExecutor: what is launched for a chunk.
#include "core/attention/rope.h"
#include "gpu/engine/cuda_executor_parts.h"
#include "gpu/engine/feed_forward.h"
#include "gpu/ops/sample.h"

namespace mla::gpu {

/// Gives false where somebody asked to stop.
bool CudaExecutor::launch(Chunk& chunk, StageTimer& timer, DeviceCompute& compute) {
  Device& d = device();
  timer.begin(d.stream, d.capturing);
  launch_inputs(chunk, compute);
  timer.end(Stage::other);
  for (int l = 0; l < experiment_.layers; ++l) {
    if (chunk.count > 1 && chunk.stop.stop_possible()) d.stream.synchronize();  // what is launched cannot be stopped
    if (chunk.stop.stop_requested()) return false;
    launch_layer(l, chunk, timer, compute);
  }
  launch_outputs(chunk, compute);
  if (!chunk.step()) d.traces.end();
  timer.end(Stage::other);
  return true;
}

void CudaExecutor::launch_inputs(Chunk& chunk, DeviceCompute& compute) {
  Device& d = device();
  const InputPlaces places = inputs_of(chunk);
  const std::size_t size = std::size_t(chunk.count) * batch() * hidden_size();
  d.stream.to_device(d.given.data(), d.in.data(), places.on_device());
  chunk.hidden = d.scratch.get(Slot::hidden, std::int64_t(size));
  if (uncached()) {
    const float* const known = d.inputs.data() + std::size_t(chunk.first) * batch() * hidden_size();
    d.stream.copy(chunk.hidden, known, size * sizeof(float));
  } else if (!chunk.vectors.empty()) {
    d.stream.to_device(chunk.hidden, d.in.data() + places.on_device(), size * sizeof(float));
  } else {
    const Weight& embedding = weights_->embed_tokens;
    gather_rows(d.stream, compute.matrix(embedding), d.ints() + 2, int(chunk.tokens.size()), {chunk.hidden, hidden_size()});
    compute.work.weight_bytes += embedding.row_bytes() * std::int64_t(chunk.tokens.size());
  }
}

// In the last layer only positions whose output (or attention row) somebody wants are computed beyond their cache rows.
void CudaExecutor::launch_layer(int l, Chunk& chunk, StageTimer& timer, DeviceCompute& compute) {
  const LayerWeights& layer = weights_->layers[std::size_t(l)];
  const ModelSpec& spec = experiment_.spec;
  const int d = hidden_size(), rows = chunk.count * batch(), from = chunk.from(l + 1 == experiment_.layers);
  const bool toy = spec.block == BlockKind::toy;
  Stream& stream = compute.stream;

  float* normed = chunk.hidden;
  if (!toy) {
    normed = compute.scratch.get(Slot::normed, std::int64_t(rows) * d);
    compute.rms_norm(layer.input_norm, spec.rms_norm_eps, {chunk.hidden, d}, rows, {normed, d});
    timer.end(Stage::other);
  }
  const float* const attended = attend(l, chunk, normed, timer, compute);
  chunk.hidden += std::int64_t(from) * batch() * d;
  const int left = (chunk.count - from) * batch();
  if (left == 0) return;
  add(stream, chunk.hidden, attended, std::int64_t(left) * d);
  if (toy)
    layer_norm(stream, {chunk.hidden, d}, left, d, compute.vector(layer.input_norm), compute.vector(layer.input_norm_bias));
  timer.end(Stage::output);
  if (spec.block == BlockKind::attention) return;
  const float* const added = feed_forward(spec, l, layer, chunk.hidden, left, device().touched.data() + l, compute);
  add(stream, chunk.hidden, added, std::int64_t(left) * d);
  if (toy)
    layer_norm(stream, {chunk.hidden, d}, left, d, compute.vector(layer.post_norm), compute.vector(layer.post_norm_bias));
  timer.end(Stage::feed_forward);
}

/// What the attention adds to the rows that are left; null where there are none.
float* CudaExecutor::attend(int l, const Chunk& chunk, float* normed, StageTimer& timer, DeviceCompute& compute) {
  Device& d = device();
  const AttentionWeights& weights = weights_->layers[std::size_t(l)].attention;
  const AttentionSpec& a = experiment_.spec.attention;
  const bool final_layer = l + 1 == experiment_.layers;
  const int from = chunk.from(final_layer), query_from = chunk.query_from(final_layer, chunk.trace.wants(l));
  const RowPositions positions{d.ints(), batch()};
  const float* const latents =
      layer_->append(weights, {normed, chunk.count * batch(), positions}, d.rope.view(), d.cache.view(l), compute);
  if (keeps_rows()) keep_rows(l, latents, chunk.count);
  timer.end(Stage::append);
  if (query_from == chunk.count) return nullptr;

  // Where the first query is not the first row, this is the last layer, and its position the second integer.
  const DeviceRows asking{normed + std::int64_t(query_from) * batch() * a.hidden_size,
                          (chunk.count - query_from) * batch(),
                          {d.ints() + (query_from > 0 ? 1 : 0), batch()}};
  const DeviceQueries queries = layer_->query(weights, asking, d.rope.view(), compute);
  timer.end(Stage::query);
  float* const sums = sums_of(l, chunk, queries, compute);
  timer.share(Stage::scores, Stage::values, scores_share(l, chunk));  // one kernel does both
  if (from == chunk.count) return nullptr;

  const int rows = (chunk.count - from) * batch();
  const std::int64_t skipped = std::int64_t(from - query_from) * batch() * a.num_attention_heads * shape_->summed_values();
  float* const heads = layer_->finish(weights, sums + skipped, rows, compute);
  timer.end(Stage::values);
  float* const out = compute.scratch.get(Slot::added, std::int64_t(rows) * a.hidden_size);
  compute.linear(weights.o_proj, heads, rows, out);
  return out;
}

/// [queries, H, summed values] of all that ask.
float* CudaExecutor::sums_of(int l, const Chunk& chunk, const DeviceQueries& queries, DeviceCompute& compute) {
  Device& d = device();
  const AttentionWeights& weights = weights_->layers[std::size_t(l)].attention;
  const int query_from = chunk.query_from(l + 1 == experiment_.layers, chunk.trace.wants(l));
  const bool traced = chunk.trace.wants(l) && chunk.new_from < chunk.count;
  DeviceAttention problem;
  problem.cache = d.cache.view(l);
  problem.layout = shape_->view(weights, empty_).layout;
  problem.batch = batch();
  problem.heads = experiment_.spec.attention.num_attention_heads;
  problem.positions = chunk.count - query_from;
  problem.first = d.ints() + (query_from > 0 ? 1 : 0);
  problem.most_keys = chunk.count == 1 ? experiment_.context : chunk.first + chunk.count;
  problem.q_nope = queries.nope;
  problem.q_rope = queries.rope;
  problem.out =
      compute.scratch.get(Slot::sums, std::int64_t(problem.positions) * batch() * problem.heads * shape_->summed_values());
  if (traced) problem.trace = chunk.step() ? d.rows.place_of(l) : d.traces.next(l);
  if (experiment_.path == AttentionPath::reexpanded) {
    d.reexpansion.attend(weights, problem, chunk.first + chunk.count, compute);
  } else {
    const std::int64_t bytes = attention_workspace(facts_, problem);
    gpu::attend(d.stream, facts_, problem, compute.scratch.get<std::byte>(Slot::attention, bytes));
  }
  if (traced && !chunk.step()) d.traces.send();
  return problem.out;
}

void CudaExecutor::launch_outputs(const Chunk& chunk, DeviceCompute& compute) {
  Device& d = device();
  const int width = hidden_size(), vocab = experiment_.spec.vocab_size, rows = chunk.wanted() * batch();
  const int left = (chunk.count - chunk.from(true)) * batch();
  float* const hidden = chunk.hidden + std::int64_t(left - rows) * width;
  const OutputPlaces places = places_of(chunk);
  if (rows > 0 && weights_->lm_head) {
    const Rows normed{compute.scratch.get(Slot::normed, std::int64_t(rows) * width), width};
    float* const logits = compute.scratch.get(Slot::logits, std::int64_t(rows) * vocab);
    compute.rms_norm(weights_->norm, experiment_.spec.rms_norm_eps, {hidden, width}, rows, normed);
    compute.linear({weights_->lm_head, {}}, normed.data, rows, logits);
    if (places.logits > 0) d.stream.to_host(d.out.data(), logits, places.logits);
    if (places.tokens > 0) launch_choice(chunk, logits, compute);
  }
  if (places.vectors > 0) d.stream.to_host(d.out.data() + places.logits, hidden, places.vectors);
  if (places.touched > 0) d.stream.to_host(d.out.data() + places.before_touched(), d.touched.data(), places.touched);
}

/// The next tokens, where the logits are wanted for nothing else.
void CudaExecutor::launch_choice(const Chunk& chunk, const float* logits, DeviceCompute& compute) {
  Device& d = device();
  const OutputPlaces places = places_of(chunk);
  const int vocab = experiment_.spec.vocab_size;
  int* const tokens = compute.scratch.get<int>(Slot::tokens, batch());
  double* const weights = compute.scratch.get<double>(Slot::token_weights, std::int64_t(batch()) * vocab);
  const auto* const draws = reinterpret_cast<const DeviceDraw*>(d.given.data() + inputs_of(chunk).ints);
  choose_tokens(d.stream, {logits, draws, weights, tokens, batch(), vocab});
  d.stream.to_host(d.out.data() + places.logits + places.vectors, tokens, places.tokens);
}

}  // namespace mla::gpu
