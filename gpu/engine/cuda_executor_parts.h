#pragma once

#include <algorithm>
#include <optional>
#include <span>

#include "gpu/engine/cuda_executor.h"

namespace mla::gpu {

/// What an experiment caches, in the page layout that its attention is fastest with.
DeviceCache::Shape cache_shape(const Experiment& e, const DeviceFacts& device, const KvLayout& layout);

/// Some consecutive positions on their way through the layers.
struct CudaExecutor::Chunk {
  int first = 0;             ///< position of the first
  int count = 0;             ///< per sequence
  int new_from = 0;          ///< index of the first that is not merely recomputed
  bool last = false;         ///< ends the pass: its last position needs an output
  bool outputs = false;      ///< all new positions need one
  bool final_all = false;    ///< the last layer computes all positions
  bool vectors_out = false;  ///< the last layer's vectors are wanted on the host
  TraceRequest trace;
  std::span<const int> tokens;     ///< [count, batch], or …
  std::span<const float> vectors;  ///< [count, batch, d], or neither: what is remembered
  std::span<const Draw> draws;     ///< how the next tokens are chosen; empty: the logits are wanted
  std::stop_token stop;
  float* hidden = nullptr;  ///< device [rows that are left, d]

  /// The first position that a layer computes beyond its cache row; `count`: none.
  int from(bool final_layer) const { return !final_layer || final_all ? 0 : last ? count - 1 : count; }
  /// The first that asks.
  int query_from(bool final_layer, bool traced) const {
    return traced ? std::min(from(final_layer), new_from) : from(final_layer);
  }
  /// One token after those that are cached.
  bool step() const { return count == 1 && (!tokens.empty() || !vectors.empty()); }
  /// Positions whose outputs are wanted.
  int wanted() const { return outputs ? count - new_from : last ? 1 : 0; }
};

/// Bytes of what a chunk takes from the host, one after the other, in pinned memory and, all but the vectors, on the device.
struct CudaExecutor::InputPlaces {
  std::size_t ints = 0;  ///< position of the first row, of the last layer's first query; tokens; in whole 16 bytes
  std::size_t draws = 0, vectors = 0;
  std::size_t on_device() const { return ints + draws; }
};

/// Bytes of what it gives the host, likewise.
struct CudaExecutor::OutputPlaces {
  std::size_t logits = 0, vectors = 0, tokens = 0, touched = 0;
  std::size_t before_touched() const { return logits + vectors + tokens; }
  std::size_t total() const { return before_touched() + touched; }
};

/// What a captured step depends on.
struct CudaExecutor::Key {
  TraceRequest::Layers layers = TraceRequest::Layers::none;
  int layer = 0;
  std::int64_t stride = 0;
  bool vectors = false, outputs = false, draws = false;
  int scratch = -1;  ///< generation
  const void *in = nullptr, *out = nullptr, *given = nullptr, *rows = nullptr;
  bool operator==(const Key&) const = default;
};

/// All that an executor has in device memory, and the streams that use it.
struct CudaExecutor::Device {
  struct Captured {
    Key key;
    Graph graph;
    StageTimer timer;
    Work work;  ///< less what depends on the position
  };
  /// Steps that write their attention rows into the same set.
  struct Steps {
    std::optional<Captured> captured;
    std::optional<Key> last;
  };

  Device(const DeviceCache::Shape& shape, const ModelSpec& spec)
      : cache(shape), rope(spec.attention, shape.context), reexpansion(spec), touched(std::size_t(shape.layers)) {}
  ~Device() { stream.settle(); }

  Stream stream;
  std::shared_ptr<const DeviceModel> model;
  DeviceCache cache;
  DeviceRope rope;
  Reexpansion reexpansion;
  Scratch scratch;
  StageTimer timer;
  TraceCopy traces;     ///< of passes
  StepRows rows;        ///< of steps
  Memory given;         ///< InputPlaces, less the vectors
  Array<int> touched;   ///< [layers] experts that the last chunk used
  Pinned in;            ///< InputPlaces
  Pinned out;           ///< OutputPlaces
  Array<float> inputs;  ///< uncached: all so far, [positions, batch, d]
  Steps steps[2];       ///< by rows.turn()
  bool capturing = false;

  const int* ints() const { return reinterpret_cast<const int*>(given.data()); }
};

}  // namespace mla::gpu
