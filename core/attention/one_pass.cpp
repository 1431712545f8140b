#include "core/attention/one_pass.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;
constexpr float kLowest = -3.4e38f;

using Clock = std::chrono::steady_clock;

/// Books the seconds since the last call.
class Lap {
 public:
  void operator()(double& where) {
    const Clock::time_point now = Clock::now();
    where += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }

 private:
  Clock::time_point last_ = Clock::now();
};

template <class T>
void reserve(Buffer<T>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer = Buffer<T>(size);
}

int padded(int columns) { return (columns + kernel_columns - 1) / kernel_columns * kernel_columns; }

/// Tokens that a thread takes at a time, in whole blocks: as many chunks as threads may want, but not so many that merging
/// their sums costs more than a few percent of them.
int chunk_tokens(int keys) {
  constexpr int few = 256, most_chunks = 16;
  const int chunks = std::clamp(keys / few, 2, most_chunks), tokens = (keys + chunks - 1) / chunks;
  return (tokens + kBlock - 1) / kBlock * kBlock;
}

/// out [columns, rows] = in [rows, columns]^T, a tile of cache lines at a time.
void turn(int rows, int columns, const float* in, float* out, int ldo) {
  constexpr int line = 16;
  for (int r = 0; r < rows; r += line)
    for (int c = 0; c < columns; c += line)
      for (int j = c; j < std::min(columns, c + line); ++j)
        for (int i = r; i < std::min(rows, r + line); ++i)
          out[std::ptrdiff_t(j) * ldo + i] = in[std::ptrdiff_t(i) * columns + j];
}

bool values_are_keys(const KvLayout& layout) {
  return layout.nope > 0 && layout.nope == layout.value && layout.nope_offset == layout.value_offset;
}

}  // namespace

bool OnePassAttention::handles(const AttentionProblem& p) {
  const KvView& kv = p.sequences.front();
  return p.positions == 1 && kv.layout.kv_heads == 1 && takes(p.heads) && !kv.up.key && !kv.up.value;
}

void OnePassAttention::plan(const AttentionProblem& p) {
  const KvLayout& layout = p.layout();
  padded_ = padded(p.heads);
  padded_value_ = padded(layout.value);
  width_ = layout.nope + layout.rope;
  tokens_ = chunk_tokens(p.keys());
  chunks_ = (p.keys() + tokens_ - 1) / tokens_;
  pairs_ = kernels_.bf16 && p.sequences.front().cache->dtype() == CacheDtype::bf16 && layout.nope % 2 == 0 &&
           layout.rope % 2 == 0;
  parts_.clear();
  if (layout.nope && layout.rope_offset == layout.nope_offset + layout.nope) {
    parts_.push_back({layout.nope_offset, width_, 0});
  } else {
    if (layout.rope) parts_.push_back({layout.rope_offset, layout.rope, layout.nope});
    if (layout.nope) parts_.push_back({layout.nope_offset, layout.nope, 0});
  }
}

void OnePassAttention::prepare(const AttentionProblem& p) {
  const std::size_t queries = std::size_t(p.batch()) * width_ * padded_, sums = std::size_t(p.batch()) * chunks_;
  reserve(packed_, queries);
  if (pairs_) reserve(packed_pairs_, queries);
  scratch_.resize(std::size_t(pool_.threads()));
  for (Scratch& scratch : scratch_) {
    reserve(scratch.scores, std::size_t(kBlock) * padded_);
    reserve(scratch.scale, std::size_t(padded_));
    if (pairs_) {
      reserve(scratch.weights, std::size_t(kBlock) * padded_);
      reserve(scratch.values, std::size_t(kBlock) * padded_value_);
    } else {
      reserve(scratch.rows, std::size_t(kBlock) * std::max(width_, p.layout().value));
    }
    scratch.times = {};
  }
  sums_.resize(std::max(sums_.size(), sums));
  for (std::size_t i = 0; i < sums; ++i) {
    sums_[i].top.assign(std::size_t(padded_), kLowest);
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
    turn(p.heads, nope, p.q_nope + row * nope, to, padded_);
    turn(p.heads, rope, p.q_rope + row * rope, to + std::ptrdiff_t(nope) * padded_, padded_);
    if (pairs_)
      kernels_.bf16->round_rows(width_, padded_, to, padded_, packed_pairs_.data() + std::ptrdiff_t(s) * width_ * padded_,
                                2 * padded_);
  }
}

OnePassAttention::Times OnePassAttention::run(const AttentionProblem& p, float* out) {
  plan(p);
  prepare(p);
  pack_queries(p);
  pool_.run(p.batch() * chunks_, [&](int item, int thread) {
    const int first = item % chunks_ * tokens_;
    sum_chunk(p, item / chunks_, first, std::min(p.keys(), first + tokens_), sums_[item], scratch_[thread]);
  });
  pool_.run(p.batch() * p.heads, [&](int item, int) { merge(p, item / p.heads, item % p.heads, out); });
  Times all;
  for (const Scratch& scratch : scratch_) {
    all.scores += scratch.times.scores;
    all.softmax += scratch.times.softmax;
    all.values += scratch.times.values;
  }
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
    if (pairs_)
      score_pairs(block, scratch);
    else
      keys = score(block, scratch);
    lap(scratch.times.scores);
    kernels_.softmax_columns(scores, padded_, block.count, padded_, chunk.top.data(), chunk.total.data(),
                             scratch.scale.data());
    for (int h = 0; h < p.heads; ++h) {
      const float scale = scratch.scale[h];
      float* sums = chunk.sums.data() + std::ptrdiff_t(h) * padded_value_;
      if (scale != 1) std::for_each(sums, sums + padded_value_, [=](float& x) { x *= scale; });
    }
    lap(scratch.times.softmax);
    if (pairs_)
      add_value_pairs(p, block, chunk, scratch);
    else
      add_values(p, block, keys, chunk, scratch);
    lap(scratch.times.values);
  }
}

/// Adds the block's scores; returns the rows of the last part.
KvCache::Rows OnePassAttention::score(const Block& block, Scratch& scratch) const {
  const KvCache& cache = *block.kv.cache;
  const float* queries = packed_.data() + std::ptrdiff_t(block.sequence) * width_ * padded_;
  const bool fetch = block.more && cache.dtype() == CacheDtype::fp32;
  KvCache::Rows rows{};
  for (const Part& part : parts_) {
    rows = cache.rows(kernels_, block.first, block.count, part.offset, part.width, scratch.rows.data());
    const float* ahead =
        fetch ? cache.rows(kernels_, block.first + kBlock, 1, part.offset, part.width, nullptr).data : nullptr;
    kernels_.gemm_nn(block.count, padded_, part.width, rows.data, rows.stride,
                     queries + std::ptrdiff_t(part.query) * padded_, padded_, scratch.scores.data(), padded_, ahead);
  }
  return rows;
}

void OnePassAttention::score_pairs(const Block& block, Scratch& scratch) const {
  const KvCache& cache = *block.kv.cache;
  const std::uint16_t* queries = packed_pairs_.data() + std::ptrdiff_t(block.sequence) * width_ * padded_;
  for (const Part& part : parts_) {
    const std::uint16_t* ahead = block.more ? cache.halves(block.first + kBlock, part.offset) : nullptr;
    kernels_.bf16->gemm_nn(block.count, padded_, part.width / 2, cache.halves(block.first, part.offset), cache.row_values(),
                           queries + std::ptrdiff_t(part.query) * padded_, 2 * padded_, scratch.scores.data(), padded_,
                           ahead);
  }
}

void OnePassAttention::add_values(const AttentionProblem& p, const Block& block, KvCache::Rows keys, Chunk& chunk,
                                  Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  if (!values_are_keys(layout))
    keys = block.kv.cache->rows(kernels_, block.first, block.count, layout.value_offset, layout.value, scratch.rows.data());
  kernels_.gemm_tn(p.heads, layout.value, block.count, scratch.scores.data(), padded_, keys.data, keys.stride,
                   chunk.sums.data(), padded_value_);
}

void OnePassAttention::add_value_pairs(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  const KvCache& cache = *block.kv.cache;
  kernels_.bf16->round_rows(block.count, padded_, scratch.scores.data(), padded_, scratch.weights.data(), 2 * padded_);
  kernels_.bf16->pair_rows(block.count, layout.value, cache.halves(block.first, layout.value_offset), cache.row_values(),
                           scratch.values.data(), 2 * padded_value_);
  kernels_.bf16->gemm_tn(p.heads, padded_value_, (block.count + 1) / 2, scratch.weights.data(), 2 * padded_,
                         scratch.values.data(), 2 * padded_value_, chunk.sums.data(), padded_value_);
}

/// The chunks of one head, each scaled to the top of all.
void OnePassAttention::merge(const AttentionProblem& p, int sequence, int head, float* out) const {
  const Chunk* chunks = sums_.data() + std::ptrdiff_t(sequence) * chunks_;
  const int value = p.layout().value;
  float top = kLowest, total = 0;
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
