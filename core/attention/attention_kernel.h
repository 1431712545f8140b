#pragma once

#include <memory>
#include <vector>

#include "core/attention/kv_view.h"
#include "core/engine/trace.h"
#include "core/tensor/buffer.h"
#include "core/tensor/thread_pool.h"

namespace mla {

/// One attention: `positions` queries for each sequence, the last of them the newest token in its cache.
struct AttentionProblem {
  std::vector<KvView> sequences;  ///< [batch]
  int first = 0;                  ///< position of the first query
  int positions = 1;
  int heads = 1;                  ///< query heads, a multiple of the key-value heads
  const float* q_nope = nullptr;  ///< [positions, batch, heads, nope], already scaled
  const float* q_rope = nullptr;  ///< [positions, batch, heads, rope], already scaled

  int batch() const { return int(sequences.size()); }
  int keys() const { return first + positions; }
  const KvLayout& layout() const { return sequences.front().layout; }
};

/// Softmax attention over any KvView, in three timed stages: scores (NoPE and RoPE part apart), softmax, values. Keeps its
/// buffers between calls. The result does not depend on the number of threads.
class AttentionKernel {
 public:
  AttentionKernel(const Kernels& kernels, ThreadPool& pool) : kernels_(kernels), pool_(pool) {}

  void scores(const AttentionProblem& problem);
  /// Turns scores into weights; the parts of the scores survive only where `keep_parts`.
  void softmax(const AttentionProblem& problem, bool keep_parts);
  /// out [positions - from, batch, heads, value] = weighted sums for the queries from index `from` on.
  void values(const AttentionProblem& problem, int from, float* out);
  /// What query `i` of sequence 0 attended to; after softmax(keep_parts = true).
  std::shared_ptr<const AttentionRow> row(const AttentionProblem& problem, int i, int layer) const;

 private:
  void score_tokens(const AttentionProblem& p, int sequence, int head, int first, int count, float* scratch);
  void stream_scores(const AttentionProblem& p);
  void stream_values(const AttentionProblem& p, float* out);
  void sum_rows(const AttentionProblem& p, int sequence, int head, int from, int to, int column, int columns, int origin,
                float* out, float* scratch);
  void prepare(const AttentionProblem& problem);

  const Kernels& kernels_;
  ThreadPool& pool_;
  int stride_ = 0;                       // of a score row: keys, rounded up
  Buffer<float> nope_, rope_, weights_;  // [batch, positions, heads, stride]
  const float* final_ = nullptr;         // the weights: weights_, or nope_ where the parts were not kept
  std::vector<Buffer<float>> scratch_;   // one a thread
};

}  // namespace mla
