#include "gpu/engine/cuda_executor.h"

#include <array>
#include <chrono>
#include <iterator>
#include <new>

#include "core/engine/chunk.h"
#include "core/spec/cache_row.h"
#include "gpu/engine/cuda_executor_parts.h"
#include "gpu/ops/sample.h"

namespace mla::gpu {
namespace {

using Clock = std::chrono::steady_clock;

/// Nothing of an uncached pass outlives it, so its rows need no rounding.
AttentionPath row_path(const Experiment& e) { return e.path == AttentionPath::uncached ? AttentionPath::expanded : e.path; }
CacheDtype row_dtype(const Experiment& e) { return e.path == AttentionPath::uncached ? CacheDtype::fp32 : e.cache_dtype; }

std::unique_ptr<AttentionLayer> make_shape(const Experiment& e) {
  return e.spec.attention.is_mla() ? make_latent_layer(e.spec, e.path) : make_grouped_query_layer(e.spec);
}

}  // namespace

DeviceCache::Shape cache_shape(const Experiment& e, const DeviceFacts& device, const KvLayout& layout) {
  const std::vector<RowSegment> row = cache_row(e.spec, row_path(e));
  const CacheDtype dtype = row_dtype(e);
  const PageLayout page =
      e.path == AttentionPath::reexpanded ? PageLayout::rows : page_layout_for(device, row, dtype, layout);
  return {row, dtype, page, e.layers, e.batch, e.context};
}

CudaExecutor::CudaExecutor(const Experiment& experiment, const DeviceFacts& device, std::shared_ptr<WeightStore> store,
                           std::shared_ptr<const ModelWeights> weights, Options options)
    : experiment_(experiment),
      facts_(device),
      store_(std::move(store)),
      weights_(std::move(weights)),
      options_(options),
      shape_(make_shape(experiment)),
      layer_(experiment.spec.attention.is_mla() ? make_device_latent_layer(experiment.spec, experiment.path)
                                                : make_device_grouped_layer(experiment.spec)),
      empty_(RowFormat(cache_row(experiment.spec, row_path(experiment)), row_dtype(experiment))),
      latents_(std::size_t(experiment.layers)) {}

CudaExecutor::~CudaExecutor() = default;

/// What is on the device; made where nothing is yet, or a failure has freed it. Throws Failure, std::bad_alloc.
CudaExecutor::Device& CudaExecutor::device() {
  if (device_) return *device_;
  const KvLayout layout = shape_->view(weights_->layers.front().attention, empty_).layout;
  auto made = std::make_unique<Device>(cache_shape(experiment_, facts_, layout), experiment_.spec);
  made->model = store_->place(made->stream, *weights_);
  device_ = std::move(made);
  return *device_;
}

/// Runs `body`; what it throws frees the device and becomes an error.
Status CudaExecutor::guarded(const std::function<void()>& body) {
  try {
    body();
    return {};
  } catch (const Failure& failure) {
    const int seen = positions_;
    device_.reset();
    reset();
    const std::string what = failure.what();
    switch (failure.kind()) {
      case Failure::Kind::out_of_memory:
        return Error{"backend cuda: out of device memory after " + std::to_string(seen) + " tokens (" + what +
                     "); lower context, batch or layers"};
      case Failure::Kind::lost:
        return Error{"backend cuda: the GPU no longer answers (" + what + ")"};
      case Failure::Kind::other:
        break;
    }
    return Error{"backend cuda: " + what};
  } catch (const std::bad_alloc&) {
    device_.reset();
    reset();
    return Error{"backend cuda: out of memory; lower context, batch or layers"};
  }
}

Status CudaExecutor::prepare() {
  return guarded([&] { device(); });
}

Result<ForwardOutput> CudaExecutor::forward(const ForwardInput& input) {
  if (positions_ + input.count > experiment_.context)
    return Error{"context " + std::to_string(experiment_.context) + ": " + std::to_string(positions_ + input.count) +
                 " tokens do not fit; raise context"};
  const auto start = Clock::now();
  ForwardOutput output;
  const Status done = guarded([&] {
    run(input, output);
    StepTrace& trace = output.trace;
    if (uncached() && !output.cancelled) {
      trace.work.cache_read_bytes = trace.work.cache_write_bytes = 0;  // those rows were scratch
      keep_uncached_rows();
      device().cache.clear();
    }
    positions_ += input.count;
    trace.position = positions_ - 1;
    trace.positions = input.count;
    trace.split = StageSplit::operations;
    trace.cache_bytes = device().cache.bytes();
    trace.cache_allocated_bytes = device().cache.allocated_bytes();
  });
  if (!done) return done.error();
  output.trace.ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  return output;
}

void CudaExecutor::run(const ForwardInput& input, ForwardOutput& output) {
  if (uncached()) {
    device().cache.clear();
    latents_.assign(std::size_t(experiment_.layers), {});
    remember(input, output);
  }
  const int first = uncached() ? 0 : positions_, total = uncached() ? positions_ + input.count : input.count;
  for (int done = 0; done < total;) {
    Chunk chunk = next_chunk(input, first, done, total);
    if (!run_chunk(chunk, output)) {
      device().stream.synchronize();
      output.cancelled = true;
      return;
    }
    done += chunk.count;
  }
}

CudaExecutor::Chunk CudaExecutor::next_chunk(const ForwardInput& input, int first, int done, int total) const {
  const int known = uncached() ? positions_ : 0;  // positions of this pass that are merely recomputed
  Chunk chunk;
  chunk.first = first + done;
  chunk.count = chunk_positions(experiment_, chunk.first, total - done);
  chunk.new_from = std::clamp(known - done, 0, chunk.count);
  chunk.last = done + chunk.count == total;
  chunk.outputs = input.all_outputs;
  chunk.final_all = input.all_outputs || uncached();
  chunk.vectors_out = !input.hidden.empty() || !weights_->lm_head;
  chunk.trace = input.trace;
  if (chunk.last && !chunk.outputs && weights_->lm_head) chunk.draws = input.draws;
  chunk.stop = input.stop;
  if (uncached()) return chunk;
  const std::size_t at = std::size_t(done) * batch(), rows = std::size_t(chunk.count) * batch();
  if (input.hidden.empty())
    chunk.tokens = input.tokens.subspan(at, rows);
  else
    chunk.vectors = input.hidden.subspan(at * hidden_size(), rows * hidden_size());
  return chunk;
}

/// Gives false where somebody asked to stop.
bool CudaExecutor::run_chunk(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  if (chunk.stop.stop_requested()) return false;
  d.rope.cover(d.stream, chunk.first, chunk.count);
  d.cache.grow(d.stream, chunk.count);
  const bool traced = !traced_layers(chunk).empty();
  const int positions[2] = {chunk.first,
                            chunk.first + chunk.query_from(true, traced && chunk.trace.wants(experiment_.layers - 1))};
  stage(positions, chunk);
  if (d.out.bytes() < places_of(chunk).total()) d.out = Pinned(places_of(chunk).total());
  if (!(chunk.step() ? run_step(chunk, output) : run_pass(chunk, output))) return false;
  collect(chunk, output);
  return true;
}

CudaExecutor::InputPlaces CudaExecutor::inputs_of(const Chunk& chunk) {
  return {((2 + chunk.tokens.size()) * sizeof(int) + 15) / 16 * 16, chunk.draws.size() * sizeof(DeviceDraw),
          chunk.vectors.size_bytes()};
}

/// Puts what the device is to have into pinned memory.
void CudaExecutor::stage(const int (&positions)[2], const Chunk& chunk) {
  Device& d = device();
  const InputPlaces places = inputs_of(chunk);
  if (d.in.bytes() < places.on_device() + places.vectors) d.in = Pinned(places.on_device() + places.vectors);
  if (d.given.bytes() < places.on_device()) {
    d.given = {};
    d.given = Memory(places.on_device());
  }
  int* const ints = reinterpret_cast<int*>(d.in.data());
  std::copy(std::begin(positions), std::end(positions), ints);
  std::copy(chunk.tokens.begin(), chunk.tokens.end(), ints + 2);
  DeviceDraw* const draws = reinterpret_cast<DeviceDraw*>(d.in.data() + places.ints);
  std::transform(chunk.draws.begin(), chunk.draws.end(), draws, [](const Draw& draw) {
    return DeviceDraw{draw.sampling.temperature, draw.sampling.top_p, draw.at, draw.sampling.top_k};
  });
  std::copy(chunk.vectors.begin(), chunk.vectors.end(), reinterpret_cast<float*>(d.in.data() + places.on_device()));
}

std::vector<int> CudaExecutor::traced_layers(const Chunk& chunk) const {
  std::vector<int> layers;
  for (int l = 0; l < experiment_.layers; ++l)
    if (chunk.trace.wants(l) && chunk.new_from < chunk.count) layers.push_back(l);
  return layers;
}

/// Layers that are traced ask from the first position on.
TraceShape CudaExecutor::trace_shape(const Chunk& chunk) const {
  const AttentionSpec& a = experiment_.spec.attention;
  const int keys = chunk.first + chunk.count;
  return {a.num_attention_heads, a.qk_rope_head_dim > 0, chunk.first,
          chunk.count,           chunk.new_from,         chunk.step() ? step_stride(keys) : keys};
}

CudaExecutor::OutputPlaces CudaExecutor::places_of(const Chunk& chunk) const {
  const std::size_t rows = std::size_t(chunk.wanted()) * batch();
  OutputPlaces places;
  places.tokens = chunk.draws.size() * sizeof(int);
  if (weights_->lm_head && chunk.draws.empty()) places.logits = rows * experiment_.spec.vocab_size * sizeof(float);
  if (chunk.vectors_out) places.vectors = rows * hidden_size() * sizeof(float);
  if (experiment_.spec.moe && chunk.count * batch() > 1) places.touched = std::size_t(experiment_.layers) * sizeof(int);
  return places;
}

void CudaExecutor::collect(const Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  const OutputPlaces places = places_of(chunk);
  const auto append = [&](std::size_t at, std::size_t bytes, std::vector<float>& to) {
    const float* const values = reinterpret_cast<const float*>(d.out.data() + at);
    to.insert(to.end(), values, values + bytes / sizeof(float));
  };
  append(0, places.logits, output.logits);
  append(places.logits, places.vectors, output.hidden);
  const int* const tokens = reinterpret_cast<const int*>(d.out.data() + places.logits + places.vectors);
  output.tokens.assign(tokens, tokens + places.tokens / sizeof(int));
  AttentionRows& rows = output.trace.attention;
  for (AttentionRows& some : std::array{std::exchange(arrived_, {}), d.traces.take()})
    rows.insert(rows.end(), std::move_iterator(some.begin()), std::move_iterator(some.end()));
  output.trace.work += attention_work(chunk);
  output.trace.work.weight_bytes += expert_work(chunk);
}

}  // namespace mla::gpu
