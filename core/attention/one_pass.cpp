#include "core/attention/one_pass.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/attention/packing.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens, kStripe = OnePassAttention::kStripeTokens;
/// Tokens that a thread takes at a time, in whole blocks: as many chunks as threads may want, but not so many that merging
/// their sums costs more than a few percent of them.
int chunk_tokens(int keys) {
  constexpr int few = 256;
  const int chunks = std::clamp(keys / few, 2, OnePassAttention::kMostChunks), tokens = (keys + chunks - 1) / chunks;
  return (tokens + kBlock - 1) / kBlock * kBlock;
}

/// fp32 values that a block of rows becomes, or a few rows where those of all heads are taken together.
std::size_t scratch_rows(const AttentionProblem& p) {
  const KvCache& cache = *p.sequences.front().cache;
  if (p.layout().kv_heads > 1) return cache.format().scaled() ? std::size_t(kStripe) * cache.row_values() : 0;
  return std::size_t(kBlock) * std::max({p.layout().nope, p.layout().rope, p.layout().value});
}

}  // namespace

bool OnePassAttention::handles(const AttentionProblem& p) {
  const KvView& kv = p.sequences.front();
  return p.positions == 1 && (kv.layout.kv_heads > 1 || takes(p.heads)) && !kv.up.any();
}

std::int64_t OnePassAttention::most_sum_bytes(int heads, int value) {
  return std::int64_t(sizeof(float)) * kMostChunks * heads * row_step(value);
}

Products OnePassAttention::products(const Kernels& kernels, const RowFormat& format, const KvLayout& layout) {
  if (layout.kv_heads > 1 || !kernels.bf16) return Products::fp32;
  const CacheDtype dtype = format.dtype();
  if (dtype == CacheDtype::bf16 || dtype == CacheDtype::fp8)
    return layout.nope % 2 == 0 && layout.rope % 2 == 0 ? Products::bf16 : Products::fp32;
  if (dtype != CacheDtype::int8) return Products::fp32;
  const auto begins_group = [&](int column, int width) {
    return width == 0 || (column - format.part_of(column).column) % kInt8Group == 0;
  };
  const bool whole = layout.nope % 4 == 0 && layout.rope % 4 == 0 && begins_group(layout.nope_offset, layout.nope) &&
                     begins_group(layout.rope_offset, layout.rope) && begins_group(layout.value_offset, layout.value);
  return whole ? Products::int8 : Products::fp32;
}

void OnePassAttention::plan(const AttentionProblem& p) {
  const KvLayout& layout = p.layout();
  padded_ = padded(p.heads);
  value_step_ = row_step(layout.value);
  width_ = layout.nope + layout.rope;
  nope_groups_ = (layout.nope + kInt8Group - 1) / kInt8Group;
  groups_ = nope_groups_ + (layout.rope + kInt8Group - 1) / kInt8Group;
  tokens_ = chunk_tokens(p.keys());
  chunks_ = (p.keys() + tokens_ - 1) / tokens_;
  grouped_ = layout.kv_heads > 1;
  products_ = products(kernels_, p.sequences.front().cache->format(), layout);
  parts_.clear();
  if (layout.rope) parts_.push_back({layout.rope_offset, layout.rope, layout.rope_stride, layout.nope, true});
  if (layout.nope) parts_.push_back({layout.nope_offset, layout.nope, layout.nope_stride, 0, false});
}

void OnePassAttention::prepare(const AttentionProblem& p) {
  const std::size_t queries = std::size_t(p.batch()) * width_ * padded_, sums = std::size_t(p.batch()) * chunks_;
  const bool pairs = products_ != Products::fp32;
  if (!grouped_) reserve(packed_, queries);
  if (products_ == Products::bf16) reserve(packed_pairs_, queries);
  if (products_ == Products::int8) {
    reserve(packed_bytes_, queries);
    reserve(byte_scales_, std::size_t(p.batch()) * groups_ * padded_);
    reserve(byte_offsets_, std::size_t(p.batch()) * groups_ * padded_);
  }
  scratch_.resize(std::size_t(pool_.threads()));
  for (Scratch& scratch : scratch_) {
    reserve(scratch.scores, std::size_t(kBlock) * padded_);
    reserve(scratch.scale, std::size_t(padded_));
    if (pairs) {
      reserve(scratch.weights, std::size_t(kBlock) * padded_);
      reserve(scratch.values, std::size_t(kBlock / 2) * pair_step(p.layout().value));
    }
    if (pairs && p.sequences.front().cache->dtype() == CacheDtype::fp8)
      reserve(scratch.halves, std::size_t(kBlock) * p.sequences.front().cache->row_values());
    if (grouped_ || !pairs) reserve(scratch.rows, scratch_rows(p));
    scratch.times = {};
  }
  const std::size_t each = std::size_t(p.heads) * value_step_;
  reserve(sums_, sums * each);
  partial_.resize(std::max(partial_.size(), sums));
  for (std::size_t i = 0; i < sums; ++i) {
    partial_[i].top.assign(std::size_t(padded_), kLowestScore);
    partial_[i].total.assign(std::size_t(padded_), 0.0f);
    partial_[i].sums = sums_.data() + i * each;
  }
}

/// Queries with their heads side by side, so that one value of a key meets a register of heads. Threads take whole groups of
/// columns.
void OnePassAttention::pack_queries(const AttentionProblem& p) {
  constexpr int few = 2 * kInt8Group;
  std::vector<Part> pieces;
  for (const Part& part : parts_)
    for (int first = 0; first < part.width; first += few)
      pieces.push_back({part.offset, std::min(few, part.width - first), part.step, part.query + first, part.rope});
  const int each = int(pieces.size());
  pool_.run(p.batch() * each, [&](int item, int) { pack_columns(p, item / each, pieces[std::size_t(item % each)]); });
}

/// Columns of a part that begin with a group.
void OnePassAttention::pack_columns(const AttentionProblem& p, int sequence, const Part& piece) {
  const int nope = p.layout().nope, width = piece.rope ? p.layout().rope : nope,
            column = piece.query - (piece.rope ? nope : 0);
  const float* from = (piece.rope ? p.q_rope : p.q_nope) + std::ptrdiff_t(sequence) * p.heads * width + column;
  const std::ptrdiff_t at = (std::ptrdiff_t(sequence) * width_ + piece.query) * padded_;
  float* to = packed_.data() + at;
  if (padded_ > p.heads) std::fill_n(to, std::ptrdiff_t(piece.width) * padded_, 0.0f);
  turn(p.heads, piece.width, from, width, to, padded_);
  if (products_ == Products::bf16)
    kernels_.bf16->round_rows(piece.width, padded_, to, padded_, packed_pairs_.data() + at, 2 * padded_);
  if (products_ != Products::int8) return;
  const std::ptrdiff_t group = first_group(sequence, piece.rope) + std::ptrdiff_t(column / kInt8Group) * padded_;
  kernels_.int8->round_queries(piece.width, padded_, to, padded_, packed_bytes_.data() + at, byte_scales_.data() + group,
                               byte_offsets_.data() + group);
}

StageSeconds OnePassAttention::run(const AttentionProblem& p, float* out, AttentionRow* row) {
  plan(p);
  prepare(p);
  row_ = row;
  if (row) {
    row->query = p.first;
    row->heads = p.heads;
    row->keys = p.keys();
    for (auto* values : {&row->weights, &row->scores_nope}) values->resize(std::size_t(p.heads) * p.keys());
    if (p.layout().rope) row->scores_rope.resize(row->weights.size());
  }
  if (!grouped_) pack_queries(p);
  pool_.run(p.batch() * chunks_, [&](int item, int thread) { sum_chunk(p, item, scratch_[thread]); });
  constexpr int few = 8;
  const int parts = (p.heads + few - 1) / few;
  pool_.run(p.batch() * parts, [&](int item, int) {
    const int first = item % parts * few;
    for (int head = first; head < std::min(p.heads, first + few); ++head) merge(p, item / parts, head, out);
  });
  if (row) finish_row(p);
  StageSeconds all;
  for (const Scratch& scratch : scratch_) all += scratch.times;
  return all;
}

void OnePassAttention::sum_chunk(const AttentionProblem& p, int item, Scratch& scratch) {
  const int sequence = item / chunks_, first = item % chunks_ * tokens_, last = std::min(p.keys(), first + tokens_);
  const int onwards = first + pool_.threads() * tokens_;  // where this thread will most likely be next
  Chunk& chunk = partial_[item];
  Lap lap;
  for (int t = first; t < last; t += kBlock) {
    const int next = t + kBlock < last ? t + kBlock : onwards < p.keys() ? onwards : -1;
    const Block block{p.sequences[sequence], sequence, t, std::min(kBlock, last - t), next, t == first};
    score(p, block, scratch);
    lap(scratch.times.scores);
    kernels_.softmax_columns(scratch.scores.data(), padded_, block.count, padded_, chunk.top.data(), chunk.total.data(),
                             scratch.scale.data());
    lap(scratch.times.softmax);
    add_values(p, block, chunk, scratch);
    lap(scratch.times.values);
  }
}

/// Where the row is wanted, the scores so far; another chunk's tokens lie elsewhere in it.
void OnePassAttention::keep(const AttentionProblem& p, const Block& block, std::vector<float>& scores,
                            const Scratch& scratch) const {
  turn(block.count, p.heads, scratch.scores.data(), padded_, scores.data() + block.first, p.keys());
}

/// From the scores of each head: its weights; and what is left of them without the RoPE part.
void OnePassAttention::finish_row(const AttentionProblem& p) {
  const int keys = p.keys();
  pool_.run(p.heads, [&](int head, int) {
    const std::ptrdiff_t at = std::ptrdiff_t(head) * keys;
    float* scores = row_->scores_nope.data() + at;
    kernels_.softmax(scores, nullptr, row_->weights.data() + at, keys);
    if (p.layout().rope)
      for (int t = 0; t < keys; ++t) scores[t] -= row_->scores_rope[std::size_t(at + t)];
  });
}

/// The chunks of one head, each scaled to the top of all.
void OnePassAttention::merge(const AttentionProblem& p, int sequence, int head, float* out) const {
  const Chunk* chunks = partial_.data() + std::ptrdiff_t(sequence) * chunks_;
  const std::ptrdiff_t each = std::ptrdiff_t(p.heads) * value_step_;
  const int value = p.layout().value;
  float top = kLowestScore, total = 0;
  for (int c = 0; c < chunks_; ++c) top = std::max(top, chunks[c].top[head]);
  std::array<float, kMostChunks> share;
  for (int c = 0; c < chunks_; ++c) total += chunks[c].total[head] * (share[c] = std::exp(chunks[c].top[head] - top));
  for (int c = 0; c < chunks_; ++c) share[c] /= total;
  float* to = out + (std::ptrdiff_t(sequence) * p.heads + head) * value;
  std::fill_n(to, value, 0.0f);
  kernels_.gemm_nn(1, value, chunks_, share.data(), chunks_, chunks->sums + std::ptrdiff_t(head) * value_step_, each, to,
                   value, nullptr);
}

}  // namespace mla
