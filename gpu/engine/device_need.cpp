// What a run takes of the device's memory.
#include <algorithm>

#include "core/engine/chunk.h"
#include "gpu/engine/cuda_executor_parts.h"

namespace mla::gpu {
namespace {

/// The attention of as many positions as a chunk takes, at the end of the context.
std::int64_t workspace(const Experiment& e, const DeviceFacts& device, const KvLayout& layout, int positions) {
  const DeviceCache::Shape shape = cache_shape(e, device, layout);
  DeviceAttention problem;
  problem.cache.row = row_layout(shape.row, shape.dtype, shape.page);
  problem.layout = layout;
  problem.batch = e.batch;
  problem.heads = e.spec.attention.num_attention_heads;
  problem.positions = positions;
  problem.most_keys = e.context;
  return attention_workspace(device, problem);
}

}  // namespace

MemoryNeed CudaExecutor::need(const Experiment& e, const DeviceFacts& device, const ModelWeights& weights) {
  const auto shape = e.spec.attention.is_mla() ? make_latent_layer(e.spec, e.path) : make_grouped_query_layer(e.spec);
  const AttentionPath path = e.path == AttentionPath::uncached ? AttentionPath::expanded : e.path;
  const KvCache empty(RowFormat(cache_row(e.spec, path), e.cache_dtype));
  MemoryNeed need;
  need.cache = memory_need(e).cache;
  const KvLayout layout = shape->view(weights.layers.front().attention, empty).layout;
  const int chunk = chunk_positions(e, 0, e.context), last = chunk_positions(e, e.context - 1, chunk);
  const std::int64_t rebuilt = e.path == AttentionPath::reexpanded ? Reexpansion(e.spec).bytes(e.context) : 0;
  const AttentionSpec& a = e.spec.attention;
  const TraceShape looked_at{a.num_attention_heads, a.qk_rope_head_dim > 0, 0, 1, 0, step_stride(e.context)};
  const std::int64_t standing = DeviceRope::bytes(a, e.context) + rebuilt + StepRows::bytes(looked_at) +
                                std::max(workspace(e, device, layout, 1), workspace(e, device, layout, last));
  need.scratch = MemoryNeed{activation_bytes(e), recomputed_bytes(e), standing}.total();  // saturates
  return need;
}

}  // namespace mla::gpu
