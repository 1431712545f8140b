#pragma once

#include <vector>

#include "core/attention/attention_kernel.h"
#include "core/attention/stage_seconds.h"

namespace mla {

/// What the products of a decode are made of.
enum class Products {
  fp32,
  bf16,  ///< pairs of bf16 values, summed as fp32
  int8,  ///< scores of bytes four at a time, summed exactly within a group; values as bf16 pairs
};

/// One query a sequence in one pass over the cache. Where all heads share one key-value head (absorbed MLA, MQA), a block of
/// tokens meets all of them while it is in the processor's caches, first as keys, then as values; where there are more (MHA,
/// GQA, expanded MLA), each row is read once, in the order in which it lies. The softmax goes along block
/// by block (Milakov and Gimelshein 2018, arXiv:1805.02867); threads take chunks of tokens, whose sums are merged in
/// their order. The chunks depend on the number of tokens alone, so the result does not depend on the number of threads.
/// bf16, fp8 and int8 caches are multiplied as they are where the processor can; queries and weights are rounded for that.
class OnePassAttention {
 public:
  /// Rows with scales that are made fp32 together, where there are several key-value heads.
  static constexpr int kStripeTokens = 8;
  static constexpr int kPairColumns = 128;  ///< of values that are paired together

  /// A sequence's tokens are taken in so many chunks at most, whose sums are then merged.
  static constexpr int kMostChunks = 16;
  /// Bytes of their sums, [heads, value] each.
  static std::int64_t most_sum_bytes(int heads, int value);

  OnePassAttention(const Kernels& kernels, ThreadPool& pool) : kernels_(kernels), pool_(pool) {}

  static bool handles(const AttentionProblem& problem);
  /// Of a cache with that format and layout.
  static Products products(const Kernels& kernels, const RowFormat& format, const KvLayout& layout);
  /// Of heads that share one key-value head; with fewer a register would mostly hold padding.
  static bool takes(int heads) { return heads >= 4; }

  /// out [batch, heads, value]: as AttentionKernel's three stages give it, up to rounding. `row`, where not null, receives
  /// what sequence 0 attended to (all but the layer); the output is the same bits with and without it.
  StageSeconds run(const AttentionProblem& problem, float* out, AttentionRow* row = nullptr);

 private:
  /// Columns of a cache row that meet rows of the packed queries.
  struct Part {
    int offset, width, step, query;
    bool rope;
  };
  struct Scratch {
    Buffer<float> rows;             ///< keys, then values of a block as fp32, where the cache has another type
    Buffer<float> scores;           ///< [tokens, padded heads], then the weights
    Buffer<float> scale;            ///< [padded heads]
    Buffer<std::uint16_t> halves;   ///< [tokens, row values]: an fp8 block as bf16
    Buffer<std::uint16_t> weights;  ///< [tokens / 2, padded heads, 2], as bf16
    Buffer<std::uint16_t> values;   ///< [tokens / 2, step of the pairs]
    StageSeconds times;
  };
  /// What some tokens add up to, by head.
  struct Chunk {
    std::vector<float> top, total;  ///< [padded heads]
    float* sums = nullptr;          ///< [heads, value step]
  };
  /// Tokens of one block of one sequence.
  struct Block {
    const KvView& kv;
    int sequence, first, count;
    int next;  ///< first token of the block to fetch from memory meanwhile, or -1
    bool first_of_chunk;
    const KvCache& cache() const { return *kv.cache; }
  };
  /// Rows of bf16 values and their distance.
  struct Halves {
    const std::uint16_t* data;
    std::ptrdiff_t stride;
  };

  void plan(const AttentionProblem& p);
  void prepare(const AttentionProblem& p);
  void pack_queries(const AttentionProblem& p);
  void pack_columns(const AttentionProblem& p, int sequence, const Part& piece);
  /// Of a part's scales and offsets.
  std::ptrdiff_t first_group(int sequence, bool rope) const {
    return (std::ptrdiff_t(sequence) * groups_ + (rope ? nope_groups_ : 0)) * padded_;
  }
  void sum_chunk(const AttentionProblem& p, int item, Scratch& scratch);
  void score(const AttentionProblem& p, const Block& block, Scratch& scratch);
  void score_fp32(const Block& block, const Part& part, Scratch& scratch) const;
  void score_pairs(const Block& block, const Part& part, Scratch& scratch) const;
  void score_bytes(const Block& block, const Part& part, Scratch& scratch) const;
  void score_heads(const AttentionProblem& p, const Block& block, const Part& part, Scratch& scratch) const;
  void add_values(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  void add_fp32(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  void add_pairs(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  void add_heads(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const;
  template <class Body>
  void for_elements(const Block& block, int offset, int columns, Scratch& scratch, Body body) const;
  void widen_block(const Block& block, Scratch& scratch) const;
  Halves halves_of(const Block& block, int offset, Scratch& scratch) const;
  void merge(const AttentionProblem& p, int sequence, int head, float* out) const;
  void keep(const AttentionProblem& p, const Block& block, std::vector<float>& scores, const Scratch& scratch) const;
  void finish_row(const AttentionProblem& p);

  const Kernels& kernels_;
  ThreadPool& pool_;
  Products products_ = Products::fp32;
  AttentionRow* row_ = nullptr;
  bool grouped_ = false;                // more than one key-value head
  int padded_ = 0;                      // heads, in whole registers
  int value_step_ = 0;                  // from one head's sums to the next
  int width_ = 0;                       // of a key
  int nope_groups_ = 0, groups_ = 0;    // of 32 columns of a key that have a scale: of its NoPE part, of all
  int tokens_ = 0;                      // of a chunk
  int chunks_ = 0;                      // of a sequence
  std::vector<Part> parts_;             // of a key: the RoPE part, then the one that may hold the values
  Buffer<float> packed_;                // [batch, nope + rope, padded heads]: queries, transposed
  Buffer<std::uint16_t> packed_pairs_;  // [batch, (nope + rope) / 2, padded heads, 2]
  Buffer<std::int8_t> packed_bytes_;    // [batch, (nope + rope) / 4, padded heads, 4]
  Buffer<float> byte_scales_;           // [batch, groups, padded heads]
  Buffer<std::int32_t> byte_offsets_;   // likewise
  std::vector<Scratch> scratch_;        // one a thread
  std::vector<Chunk> partial_;          // [batch, chunks]
  Buffer<float> sums_;                  // [batch, chunks, heads, value step]
};

}  // namespace mla
