#include "core/attention/one_pass.h"

#include <algorithm>
#include <cmath>

#include "core/attention/packing.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;
/// Tokens that a thread takes at a time, in whole blocks: as many chunks as threads may want, but not so many that merging
/// their sums costs more than a few percent of them.
int chunk_tokens(int keys) {
  constexpr int few = 256, most_chunks = 16;
  const int chunks = std::clamp(keys / few, 2, most_chunks), tokens = (keys + chunks - 1) / chunks;
  return (tokens + kBlock - 1) / kBlock * kBlock;
}

}  // namespace

bool OnePassAttention::handles(const AttentionProblem& p) {
  const KvView& kv = p.sequences.front();
  return p.positions == 1 && (kv.layout.kv_heads > 1 || takes(p.heads)) && !kv.up.key && !kv.up.value;
}

void OnePassAttention::plan(const AttentionProblem& p) {
  const KvLayout& layout = p.layout();
  padded_ = padded(p.heads);
  padded_value_ = padded(layout.value);
  width_ = layout.nope + layout.rope;
  tokens_ = chunk_tokens(p.keys());
  chunks_ = (p.keys() + tokens_ - 1) / tokens_;
  grouped_ = layout.kv_heads > 1;
  pairs_ = multiplies_pairs(kernels_, p.sequences.front().cache->dtype(), layout);
  parts_.clear();
  if (grouped_) return;
  if (layout.nope && layout.rope_offset == layout.nope_offset + layout.nope) {
    parts_.push_back({layout.nope_offset, width_, 0});
  } else {
    if (layout.rope) parts_.push_back({layout.rope_offset, layout.rope, layout.nope});
    if (layout.nope) parts_.push_back({layout.nope_offset, layout.nope, 0});
  }
}

void OnePassAttention::prepare(const AttentionProblem& p) {
  const std::size_t queries = std::size_t(p.batch()) * width_ * padded_, sums = std::size_t(p.batch()) * chunks_;
  if (!grouped_) reserve(packed_, queries);
  if (pairs_) reserve(packed_pairs_, queries);
  scratch_.resize(std::size_t(pool_.threads()));
  for (Scratch& scratch : scratch_) {
    reserve(scratch.scores, std::size_t(kBlock) * padded_);
    reserve(scratch.scale, std::size_t(padded_));
    if (pairs_) {
      reserve(scratch.weights, std::size_t(kBlock) * padded_);
      reserve(scratch.values, std::size_t(kBlock) * padded_value_);
    } else if (!grouped_) {
      reserve(scratch.rows, std::size_t(kBlock) * std::max(width_, p.layout().value));
    }
    scratch.times = {};
  }
  sums_.resize(std::max(sums_.size(), sums));
  for (std::size_t i = 0; i < sums; ++i) {
    sums_[i].top.assign(std::size_t(padded_), kLowestScore);
    sums_[i].total.assign(std::size_t(padded_), 0.0f);
    reserve(sums_[i].sums, std::size_t(p.heads) * padded_value_);
  }
}

/// Queries with their heads side by side, so that one value of a key meets a register of heads.
void OnePassAttention::pack_queries(const AttentionProblem& p) {
  const int nope = p.layout().nope, rope = p.layout().rope;
  for (int s = 0; s < p.batch(); ++s) {
    float* to = packed_.data() + std::ptrdiff_t(s) * width_ * padded_;
    std::fill_n(to, std::ptrdiff_t(width_) * padded_, 0.0f);
    const std::ptrdiff_t row = std::ptrdiff_t(s) * p.heads;
    turn(p.heads, nope, p.q_nope + row * nope, nope, to, padded_);
    turn(p.heads, rope, p.q_rope + row * rope, rope, to + std::ptrdiff_t(nope) * padded_, padded_);
    if (pairs_)
      kernels_.bf16->round_rows(width_, padded_, to, padded_, packed_pairs_.data() + std::ptrdiff_t(s) * width_ * padded_,
                                2 * padded_);
  }
}

StageSeconds OnePassAttention::run(const AttentionProblem& p, float* out) {
  plan(p);
  prepare(p);
  if (!grouped_) pack_queries(p);
  pool_.run(p.batch() * chunks_, [&](int item, int thread) {
    const int first = item % chunks_ * tokens_;
    sum_chunk(p, item / chunks_, first, std::min(p.keys(), first + tokens_), sums_[item], scratch_[thread]);
  });
  pool_.run(p.batch() * p.heads, [&](int item, int) { merge(p, item / p.heads, item % p.heads, out); });
  StageSeconds all;
  for (const Scratch& scratch : scratch_) all += scratch.times;
  return all;
}

void OnePassAttention::sum_chunk(const AttentionProblem& p, int sequence, int first, int last, Chunk& chunk,
                                 Scratch& scratch) {
  float* const scores = scratch.scores.data();
  std::fill_n(chunk.sums.data(), std::ptrdiff_t(p.heads) * padded_value_, 0.0f);
  Lap lap;
  for (int t = first; t < last; t += kBlock) {
    const Block block{p.sequences[sequence], sequence, t, std::min(kBlock, last - t), t + kBlock < last};
    std::fill_n(scores, std::ptrdiff_t(block.count) * padded_, 0.0f);
    KvCache::Rows keys{};
    if (grouped_)
      score_heads(p, block, scratch);
    else if (pairs_)
      score_pairs(block, scratch);
    else
      keys = score(block, scratch);
    lap(scratch.times.scores);
    kernels_.softmax_columns(scores, padded_, block.count, padded_, chunk.top.data(), chunk.total.data(),
                             scratch.scale.data());
    scale_rows(scratch.scale.data(), p.heads, padded_value_, chunk.sums.data(), padded_value_);
    lap(scratch.times.softmax);
    if (grouped_)
      add_head_values(p, block, chunk, scratch);
    else if (pairs_)
      add_value_pairs(p, block, chunk, scratch);
    else
      add_values(p, block, keys, chunk, scratch);
    lap(scratch.times.values);
  }
}

/// The chunks of one head, each scaled to the top of all.
void OnePassAttention::merge(const AttentionProblem& p, int sequence, int head, float* out) const {
  const Chunk* chunks = sums_.data() + std::ptrdiff_t(sequence) * chunks_;
  const int value = p.layout().value;
  float top = kLowestScore, total = 0;
  for (int c = 0; c < chunks_; ++c) top = std::max(top, chunks[c].top[head]);
  for (int c = 0; c < chunks_; ++c) total += chunks[c].total[head] * std::exp(chunks[c].top[head] - top);
  float* to = out + (std::ptrdiff_t(sequence) * p.heads + head) * value;
  std::fill_n(to, value, 0.0f);
  for (int c = 0; c < chunks_; ++c) {
    const float share = std::exp(chunks[c].top[head] - top) / total;
    const float* sums = chunks[c].sums.data() + std::ptrdiff_t(head) * padded_value_;
    for (int i = 0; i < value; ++i) to[i] += share * sums[i];
  }
}

}  // namespace mla
