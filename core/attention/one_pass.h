#pragma once

#include <vector>

#include "core/attention/attention_kernel.h"

namespace mla {

/// One query a sequence whose heads all share one key-value head (absorbed MLA, MQA), in one pass over the cache: a block of
/// tokens meets all heads while it is in the processor's caches, first as keys, then as values. The softmax goes along block
/// by block (Milakov and Gimelshein 2018, arXiv:1805.02867); threads take chunks of tokens, whose sums are merged in
/// their order. The chunks depend on the number of tokens alone, so the result does not depend on the number of threads.
/// Scores are not kept: what has to be shown goes through AttentionKernel.
class OnePassAttention {
 public:
  OnePassAttention(const Kernels& kernels, ThreadPool& pool) : kernels_(kernels), pool_(pool) {}

  static bool handles(const AttentionProblem& problem);

  /// Seconds of all threads, by stage; they overlap, so only their proportion means something to a clock on the wall.
  struct Times {
    double scores = 0, softmax = 0, values = 0;
  };

  /// out [batch, heads, value]: as AttentionKernel's three stages give it, up to rounding.
  Times run(const AttentionProblem& problem, float* out);

 private:
  struct Chunk;
  void prepare(const AttentionProblem& p);
  void pack_queries(const AttentionProblem& p);
  void sum_chunk(const AttentionProblem& p, int sequence, int first, int last, Chunk& chunk, int thread);
  void merge(const AttentionProblem& p, int sequence, int head, float* out) const;

  struct Scratch {
    Buffer<float> rows;     ///< keys and values of a block as fp32
    Buffer<float> scores;   ///< [tokens, padded heads]
    Buffer<float> weights;  ///< [heads, tokens]
    Times times;
  };
  /// What some tokens add up to, by head.
  struct Chunk {
    std::vector<float> top, total;  ///< [heads]
    Buffer<float> sums;             ///< [heads, value]
  };

  const Kernels& kernels_;
  ThreadPool& pool_;
  int padded_ = 0;                // heads, in whole registers
  int chunks_ = 0;                // of a sequence
  Buffer<float> packed_;          // [batch, nope + rope, padded heads]: queries, transposed
  std::vector<Scratch> scratch_;  // one a thread
  std::vector<Chunk> parts_;      // [batch, chunks]
};

}  // namespace mla
