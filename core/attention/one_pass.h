#pragma once

#include <vector>

#include "core/attention/attention_kernel.h"
#include "core/attention/stage_seconds.h"

namespace mla {

/// One query a sequence in one pass over the cache. Where all heads share one key-value head (absorbed MLA, MQA), a block of
/// tokens meets all of them while it is in the processor's caches, first as keys, then as values; where there are more (MHA,
/// GQA, expanded MLA), each row is read once, in the order in which it lies. The softmax goes along block
/// by block (Milakov and Gimelshein 2018, arXiv:1805.02867); threads take chunks of tokens, whose sums are merged in
/// their order. The chunks depend on the number of tokens alone, so the result does not depend on the number of threads.
/// A bf16 cache is multiplied as it is where the processor can; queries and weights are rounded to bf16 for that.
/// Scores are not kept: what has to be shown goes through AttentionKernel.
class OnePassAttention {
 public:
  OnePassAttention(const Kernels& kernels, ThreadPool& pool) : kernels_(kernels), pool_(pool) {}

  static bool handles(const AttentionProblem& problem);
  /// Whether a cache of that type and layout is multiplied two bf16 values at a time.
  static bool multiplies_pairs(const Kernels& kernels, CacheDtype dtype, const KvLayout& layout) {
    return kernels.bf16 && dtype == CacheDtype::bf16 && layout.kv_heads == 1 && layout.nope % 2 == 0 && layout.rope % 2 == 0;
  }
  /// Of heads that share one key-value head; with fewer a register would mostly hold padding.
  static bool takes(int heads) { return heads >= 4; }

  /// out [batch, heads, value]: as AttentionKernel's three stages give it, up to rounding.
  StageSeconds run(const AttentionProblem& problem, float* out);

 private:
  /// Columns of a cache row that meet rows of the packed queries.
  struct Part {
    int offset, width, query;
  };
  struct Scratch {
    Buffer<float> rows;             ///< keys, then values of a block as fp32, where the cache has another type
    Buffer<float> scores;           ///< [tokens, padded heads], then the weights
    Buffer<float> scale;            ///< [padded heads]
    Buffer<std::uint16_t> weights;  ///< [tokens / 2, padded heads, 2], as bf16
    Buffer<std::uint16_t> values;   ///< [tokens / 2, padded value, 2]
    StageSeconds times;
  };
  /// What some tokens add up to, by head.
  struct Chunk {
    std::vector<float> top, total;  ///< [padded heads]
    Buffer<float> sums;             ///< [heads, padded value]
  };
  /// Tokens of one block of one sequence.
  struct Block {
    const KvView& kv;
    int sequence, first, count;
    bool more;  ///< the chunk goes on after it
  };

  void plan(const AttentionProblem& p);
  void prepare(const AttentionProblem& p);
  void pack_queries(const AttentionProblem& p);
  void sum_chunk(const AttentionProblem& p, int sequence, int first, int last, Chunk& chunk, Scratch& scratch);
  KvCache::Rows score(const Block& block, Scratch& scratch) const;
  void score_pairs(const Block& block, Scratch& scratch) const;
  void score_heads(const AttentionProblem& p, const Block& block, Scratch& scratch) const;
  void add_values(const AttentionProblem& p, const Block& block, KvCache::Rows keys, Chunk& chunk, Scratch& scratch) const;
  void add_value_pairs(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  void add_head_values(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  void merge(const AttentionProblem& p, int sequence, int head, float* out) const;

  const Kernels& kernels_;
  ThreadPool& pool_;
  bool grouped_ = false;                // more than one key-value head
  bool pairs_ = false;                  // bf16 values two by two
  int padded_ = 0;                      // heads, in whole registers
  int padded_value_ = 0;                // columns of a value, likewise
  int width_ = 0;                       // of a key
  int tokens_ = 0;                      // of a chunk
  int chunks_ = 0;                      // of a sequence
  std::vector<Part> parts_;             // of a key; the one that may hold the values comes last
  Buffer<float> packed_;                // [batch, nope + rope, padded heads]: queries, transposed
  Buffer<std::uint16_t> packed_pairs_;  // [batch, (nope + rope) / 2, padded heads, 2]
  std::vector<Scratch> scratch_;        // one a thread
  std::vector<Chunk> sums_;             // [batch, chunks]
};

}  // namespace mla
