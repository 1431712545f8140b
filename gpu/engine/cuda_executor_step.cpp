// How a CudaExecutor runs a chunk: at once, or, a decode step, as a captured graph.
#include "gpu/engine/cuda_executor_parts.h"

namespace mla::gpu {

/// Gives false where somebody asked to stop.
bool CudaExecutor::run_now(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  DeviceCompute compute{d.stream, facts_, *d.model, d.scratch};
  d.traces.begin(d.stream, trace_shape(chunk), int(traced_layers(chunk).size()), chunk.count == 1);
  if (!launch(chunk, d.timer, compute)) return false;
  d.stream.synchronize();
  d.timer.add_to(output.trace.stages);
  output.trace.work += compute.work;
  return true;
}

/// Whether the chunk is a step whose launches are the same at every position.
bool CudaExecutor::can_capture(const Chunk& chunk) const {
  return options_.graphs && chunk.count == 1 && !uncached() && experiment_.path != AttentionPath::reexpanded &&
         !keeps_rows();
}

CudaExecutor::Key CudaExecutor::key_of(const Chunk& chunk) const {
  const bool one = chunk.trace.layers == TraceRequest::Layers::one;
  return {chunk.trace.layers,
          one ? chunk.trace.layer : 0,
          traced_layers(chunk).empty() ? 0 : trace_shape(chunk).stride,
          chunk.tokens.empty(),
          chunk.wanted() > 0,
          !chunk.draws.empty(),
          device_->scratch.generation(),
          device_->traces.generation(),
          device_->in.data(),
          device_->out.data(),
          device_->given.data()};
}

/// The first step of a kind runs launch by launch, so that all that it needs is there; the second is captured, and what
/// follows repeats it.
void CudaExecutor::run_step(Chunk& chunk, ForwardOutput& output) {
  Device& d = device();
  const Key key = key_of(chunk);
  if (!d.captured || d.captured->key != key) {
    if (d.last_step != key) {
      run_now(chunk, output);
      d.last_step = key_of(chunk);
      return;
    }
    capture(chunk, key);
  }
  d.traces.repeat(trace_shape(chunk), traced_layers(chunk));
  d.stream.launch(d.captured->graph);
  d.stream.synchronize();
  d.captured->timer.add_to(output.trace.stages);
  output.trace.work += d.captured->work;
}

void CudaExecutor::capture(Chunk& chunk, const Key& key) {
  Device& d = device();
  d.captured.reset();
  Device::Captured captured;
  captured.key = key;
  captured.timer.prepare_as(d.timer);  // which timed a step of the same kind
  DeviceCompute compute{d.stream, facts_, *d.model, d.scratch};
  d.traces.begin(d.stream, trace_shape(chunk), int(traced_layers(chunk).size()), true);
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
  d.captured = std::move(captured);
}

}  // namespace mla::gpu
