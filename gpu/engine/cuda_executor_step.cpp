// How a CudaExecutor runs a chunk: a pass at once; a decode step as a captured graph where it can be, its attention rows on
// their way while the next one runs.
#include <iterator>

#include "gpu/engine/cuda_executor_parts.h"

namespace mla::gpu {

/// Gives false where somebody asked to stop.
bool CudaExecutor::run_pass(Chunk& chunk, ForwardOutput& output) {
  fetch_rows(true);
  device().traces.begin(device().stream, trace_shape(chunk), int(traced_layers(chunk).size()));
  if (!run_now(chunk, output)) return false;
  device().stream.synchronize();
  device().timer.add_to(output.trace.stages);
  return true;
}

/// Launch by launch. Gives false where somebody asked to stop.
bool CudaExecutor::run_now(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  DeviceCompute compute{d.stream, facts_, *d.model, d.scratch};
  if (!launch(chunk, d.timer, compute)) return false;
  output.trace.work += compute.work;
  return true;
}

/// Gives false where somebody asked to stop.
bool CudaExecutor::run_step(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  const std::vector<int> traced = traced_layers(chunk);
  if (!traced.empty()) d.rows.begin(trace_shape(chunk), traced);
  const StageTimer* const timer = launch_step(chunk, output);
  if (!timer) return false;
  if (!traced.empty()) d.rows.send(d.stream);
  fetch_rows(false);  // while this step runs
  d.stream.synchronize();
  timer->add_to(output.trace.stages);
  if (!chunk.trace.later) fetch_rows(true);
  return true;
}

/// Whether the launches of the step are the same at every position. Where keys and values are rebuilt their number is that
/// of the tokens; rows kept aside go to the host layer by layer.
bool CudaExecutor::can_capture() const {
  return options_.graphs && experiment_.path != AttentionPath::reexpanded && !keeps_rows();
}

CudaExecutor::Key CudaExecutor::key_of(const Chunk& chunk) const {
  const bool one = chunk.trace.layers == TraceRequest::Layers::one, traced = !traced_layers(chunk).empty();
  return {chunk.trace.layers,  one ? chunk.trace.layer : 0, traced ? trace_shape(chunk).stride : 0,  chunk.tokens.empty(),
          chunk.wanted() > 0,  !chunk.draws.empty(),        device_->scratch.generation(),           device_->in.data(),
          device_->out.data(), device_->given.data(),       traced ? device_->rows.place() : nullptr};
}

/// The first step of a kind is launched one by one, so that all that it needs is there; the second is captured, and what
/// follows repeats it. Gives what times it; null where somebody asked to stop.
const StageTimer* CudaExecutor::launch_step(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  Device::Steps& steps = d.steps[d.rows.turn()];
  const Key key = key_of(chunk);
  if (!can_capture() || ((!steps.captured || steps.captured->key != key) && steps.last != key)) {
    if (!run_now(chunk, output)) return nullptr;
    steps.last = key_of(chunk);
    return &d.timer;
  }
  if (!steps.captured || steps.captured->key != key) capture(chunk, key);
  d.stream.launch(steps.captured->graph);
  output.trace.work += steps.captured->work;
  return &steps.captured->timer;
}

void CudaExecutor::capture(Chunk& chunk, const Key& key) {
  Device& d = device();
  std::optional<Device::Captured>& place = d.steps[d.rows.turn()].captured;
  place.reset();
  Device::Captured captured;
  captured.key = key;
  captured.timer.prepare_as(d.timer);  // which timed a step of the same kind
  DeviceCompute compute{d.stream, facts_, *d.model, d.scratch};
  d.stream.begin_capture();
  d.capturing = true;
  try {
    launch(chunk, captured.timer, compute);
    d.capturing = false;
    captured.graph = d.stream.end_capture();
  } catch (...) {
    d.capturing = false;
    d.stream.cancel_capture();
    throw;
  }
  captured.work = compute.work;
  place = std::move(captured);
}

/// Takes the rows of steps that are on their way, but for those of the newest where `all` is false.
void CudaExecutor::fetch_rows(bool all) {
  AttentionRows rows = device().rows.fetch(all);
  arrived_.insert(arrived_.end(), std::move_iterator(rows.begin()), std::move_iterator(rows.end()));
}

Result<AttentionRows> CudaExecutor::late_rows() {
  const Status done = guarded([&] {
    if (device_) fetch_rows(true);
  });
  if (!done) return done.error();
  return std::exchange(arrived_, {});
}

}  // namespace mla::gpu
