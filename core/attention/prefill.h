#pragma once

#include <vector>

#include "core/attention/attention_kernel.h"
#include "core/attention/stage_seconds.h"

namespace mla {

/// Many queries in one pass over the keys that they see: a group of them lies side by side in registers, meets the cache
/// block by block, and the softmax goes along (as FlashAttention does it: Dao et al. 2022, arXiv:2205.14135). Queries of all
/// heads that share a key-value head count alike. A group is one thread's work from the first block to the last, and what a
/// query adds up does not depend on its group, so the result does not depend on the number of threads. Scores are not kept:
/// what has to be shown goes through AttentionKernel.
class PrefillAttention {
 public:
  PrefillAttention(const Kernels& kernels, ThreadPool& pool) : kernels_(kernels), pool_(pool) {}

  static bool handles(const AttentionProblem& problem);

  /// out [positions, batch, heads, value]: as AttentionKernel's three stages give it, up to rounding.
  StageSeconds run(const AttentionProblem& problem, float* out);

 private:
  struct Scratch {
    Buffer<float> queries;            ///< [nope + rope, columns]
    Buffer<float> rows;               ///< keys, then values of a block, where the cache is not fp32
    Buffer<float> scores;             ///< [tokens, columns], then the weights
    Buffer<float> sums;               ///< [columns, value]
    Buffer<float> top, total, scale;  ///< [columns]
    StageSeconds times;
  };
  /// Queries of one sequence that share a key-value head: columns [first, first + count) of position * shared + head.
  struct Group {
    int sequence, kv_head, first, count;
  };

  void prepare(const AttentionProblem& p);
  void attend(const AttentionProblem& p, const Group& group, float* out, Scratch& scratch) const;
  void pack(const AttentionProblem& p, const Group& group, const float* queries, int width, float* out) const;
  int blind(const AttentionProblem& p, const Group& group, int token) const;
  template <class Body>
  void for_seen(const AttentionProblem& p, const Group& group, int token, int count, Body body) const;
  void score(const AttentionProblem& p, const Group& group, int token, int count, Scratch& scratch) const;
  void add_values(const AttentionProblem& p, const Group& group, int token, int count, Scratch& scratch) const;
  void hide_later(const AttentionProblem& p, const Group& group, int token, int count, float* scores) const;
  void finish(const AttentionProblem& p, const Group& group, float* out, const Scratch& scratch) const;

  const Kernels& kernels_;
  ThreadPool& pool_;
  int shared_ = 1;   // query heads of a key-value head
  int columns_ = 0;  // of a group, in whole registers
  std::vector<Scratch> scratch_;
};

}  // namespace mla
