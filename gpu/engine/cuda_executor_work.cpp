// What a CudaExecutor counts that depends on the position, or on where tokens were routed: on the host, so that steps of a
// captured graph are counted too.
#include "gpu/engine/cuda_executor_parts.h"
#include "gpu/engine/feed_forward.h"

namespace mla::gpu {

/// The queries of a layer, and what they attend to; only to be counted.
AttentionProblem CudaExecutor::asked_of(int l, const Chunk& chunk) const {
  const int query_from = chunk.query_from(l + 1 == experiment_.layers, chunk.trace.wants(l));
  AttentionProblem problem;
  problem.sequences.assign(std::size_t(batch()), shape_->view(weights_->layers[std::size_t(l)].attention, empty_));
  problem.first = chunk.first + query_from;
  problem.positions = chunk.count - query_from;
  problem.heads = experiment_.spec.attention.num_attention_heads;
  return problem;
}

/// The part that scores have of the operations of scores and values, what is rebuilt for them included. At one position it
/// is the same wherever that is, so a captured step has it.
double CudaExecutor::scores_share(int l, const Chunk& chunk) const {
  const AttentionProblem problem = asked_of(l, chunk);
  Work scores, values;
  shape_->count_scores(problem, scores);
  shape_->count_values(problem, values);
  return double(scores.operations) / double(scores.operations + values.operations);
}

Work CudaExecutor::attention_work(const Chunk& chunk) const {
  Work work;
  for (int l = 0; l < experiment_.layers; ++l) {
    const AttentionProblem problem = asked_of(l, chunk);
    if (problem.positions == 0) continue;
    shape_->count_scores(problem, work);
    if (chunk.from(l + 1 == experiment_.layers) < chunk.count) shape_->count_values(problem, work);
  }
  return work;
}

/// Bytes of the routed experts that the chunk used; after it.
std::int64_t CudaExecutor::expert_work(const Chunk& chunk) const {
  const ModelSpec& spec = experiment_.spec;
  if (!spec.moe) return 0;
  const OutputPlaces places = places_of(chunk);
  const int* const touched = reinterpret_cast<const int*>(device_->out.data() + places.before_touched());
  std::int64_t bytes = 0;
  for (int l = 0; l < experiment_.layers; ++l) {
    const int rows = (chunk.count - chunk.from(l + 1 == experiment_.layers)) * batch();
    if (!spec.is_moe_layer(l) || rows == 0) continue;
    bytes += (rows == 1 ? spec.moe->num_experts_per_tok : touched[l]) * expert_bytes(weights_->layers[std::size_t(l)]);
  }
  return bytes;
}

}  // namespace mla::gpu
