#include "core/attention/prefill.h"

#include <algorithm>

#include "core/attention/packing.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;
constexpr int kFew = 16;           // tokens of a block that are taken together where not every query sees them
constexpr int kMostColumns = 128;  // of a group: what meets a block of keys while it is in the second-level cache

/// Groups small enough that each thread has several of them, which differ in length.
int group_columns(const AttentionProblem& p, int threads) {
  const int shared = p.heads / p.layout().kv_heads, units = p.batch() * p.layout().kv_heads;
  const int wanted = (4 * threads + units - 1) / units;
  return std::clamp(padded(p.positions * shared / wanted), kernel_columns, kMostColumns);
}

}  // namespace

bool PrefillAttention::handles(const AttentionProblem& p) { return p.positions > 1 && !p.sequences.front().up.any(); }

void PrefillAttention::prepare(const AttentionProblem& p) {
  const KvLayout& layout = p.layout();
  const int width = layout.nope + layout.rope;
  shared_ = p.heads / layout.kv_heads;
  columns_ = group_columns(p, pool_.threads());
  scratch_.resize(std::size_t(pool_.threads()));
  for (Scratch& scratch : scratch_) {
    reserve(scratch.queries, std::size_t(width) * columns_);
    reserve(scratch.rows, std::size_t(kBlock) * std::max(width, layout.value));
    reserve(scratch.scores, std::size_t(kBlock) * columns_);
    reserve(scratch.sums, std::size_t(columns_) * layout.value);
    for (Buffer<float>* each : {&scratch.top, &scratch.total, &scratch.scale}) reserve(*each, std::size_t(columns_));
    scratch.times = {};
  }
}

StageSeconds PrefillAttention::run(const AttentionProblem& p, float* out) {
  prepare(p);
  const int all = p.positions * shared_, units = p.batch() * p.layout().kv_heads;
  const int groups = (all + columns_ - 1) / columns_;
  pool_.run(groups * units, [&](int item, int thread) {
    // One head after the other, whose rows stay in the last-level cache; the longest group of each first.
    const int first = (groups - 1 - item % groups) * columns_, unit = item / groups;
    const Group group{unit / p.layout().kv_heads, unit % p.layout().kv_heads, first, std::min(columns_, all - first)};
    attend(p, group, out, scratch_[thread]);
  });
  StageSeconds seconds;
  for (const Scratch& scratch : scratch_) seconds += scratch.times;
  return seconds;
}

void PrefillAttention::attend(const AttentionProblem& p, const Group& group, float* out, Scratch& scratch) const {
  const KvLayout& layout = p.layout();
  Lap lap;
  pack(p, group, p.q_nope, layout.nope, scratch.queries.data());
  pack(p, group, p.q_rope, layout.rope, scratch.queries.data() + std::ptrdiff_t(layout.nope) * columns_);
  std::fill_n(scratch.top.data(), columns_, kLowestScore);
  std::fill_n(scratch.total.data(), columns_, 0.0f);
  std::fill_n(scratch.sums.data(), std::ptrdiff_t(columns_) * layout.value, 0.0f);
  const int keys = p.first + (group.first + group.count - 1) / shared_ + 1;  // that the last query sees
  for (int t = 0; t < keys; t += kBlock) {
    const int count = std::min(kBlock, keys - t);
    const int skipped = blind(p, group, t) / kernel_columns * kernel_columns, seen = columns_ - skipped;
    float *scores = scratch.scores.data() + skipped, *scale = scratch.scale.data() + skipped;
    score(p, group, t, count, scratch);
    lap(scratch.times.scores);
    kernels_.softmax_columns(scores, columns_, count, seen, scratch.top.data() + skipped, scratch.total.data() + skipped,
                             scale);
    lap(scratch.times.softmax);
    add_values(p, group, t, count, scratch);
    lap(scratch.times.values);
  }
  finish(p, group, out, scratch);
  lap(scratch.times.values);
}

/// Queries [width, columns] from the rows [positions, batch, heads, width].
void PrefillAttention::pack(const AttentionProblem& p, const Group& group, const float* queries, int width,
                            float* out) const {
  for (int i = 0; i < width; ++i) std::fill(out + i * columns_ + group.count, out + (i + 1) * columns_, 0.0f);
  for (int c = 0; c < group.count;) {
    const int position = (group.first + c) / shared_, head = (group.first + c) % shared_;
    const std::ptrdiff_t row =
        (std::ptrdiff_t(position) * p.batch() + group.sequence) * p.heads + group.kv_head * shared_ + head;
    // Heads of one position lie beside each other; where there is one head each, positions at equal distances.
    const int together = shared_ == 1 ? group.count : std::min(shared_ - head, group.count - c);
    const std::ptrdiff_t step = shared_ == 1 ? std::ptrdiff_t(p.batch()) * p.heads : 1;
    turn(together, width, queries + row * width, step * width, out + c, columns_);
    c += together;
  }
}

/// Queries of the group before a token.
int PrefillAttention::blind(const AttentionProblem& p, const Group& group, int token) const {
  return std::clamp((token - p.first) * shared_ - group.first, 0, group.count);
}

/// Calls body(first, count, blind queries) for parts of a block: all of it, or a few tokens at a time where some queries
/// come before some of them. Which tokens a query meets depends on its position alone.
template <class Body>
void PrefillAttention::for_seen(const AttentionProblem& p, const Group& group, int token, int count, Body body) const {
  if (blind(p, group, token + count - 1) == 0) return body(0, count, 0);
  for (int i = 0; i < count; i += kFew) body(i, std::min(kFew, count - i), blind(p, group, token + i));
}

/// Scores of a block of tokens, for the queries that see some of it.
void PrefillAttention::score(const AttentionProblem& p, const Group& group, int token, int count, Scratch& scratch) const {
  const KvLayout& layout = p.layout();
  const KvView& kv = p.sequences[group.sequence];
  float* scores = scratch.scores.data();
  std::fill_n(scores, std::ptrdiff_t(count) * columns_, 0.0f);
  const auto part = [&](const KvView::Rows& keys, int width, int query) {
    for_seen(p, group, token, count, [&](int first, int some, int blind) {
      const int skipped = blind / kernel_columns * kernel_columns;
      kernels_.gemm_nn(some, columns_ - skipped, width, keys.data + first * keys.stride, keys.stride,
                       scratch.queries.data() + std::ptrdiff_t(query) * columns_ + skipped, columns_,
                       scores + std::ptrdiff_t(first) * columns_ + skipped, columns_, nullptr);
    });
  };
  if (layout.nope) part(kv.nope(kernels_, group.kv_head, token, count, scratch.rows.data()), layout.nope, 0);
  if (layout.rope) part(kv.rope(kernels_, group.kv_head, token, count, scratch.rows.data()), layout.rope, layout.nope);
  hide_later(p, group, token, count, scores);
}

/// The values of a block, weighted, to the sums of the queries that see them.
void PrefillAttention::add_values(const AttentionProblem& p, const Group& group, int token, int count,
                                  Scratch& scratch) const {
  const int width = p.layout().value;
  const KvView::Rows rows =
      p.sequences[group.sequence].values(kernels_, group.kv_head, token, count, 0, width, scratch.rows.data());
  for_seen(p, group, token, count, [&](int first, int some, int blind) {
    kernels_.gemm_tn(group.count - blind, width, some, scratch.scores.data() + std::ptrdiff_t(first) * columns_ + blind,
                     columns_, rows.data + first * rows.stride, rows.stride, scratch.scale.data() + blind,
                     scratch.sums.data() + std::ptrdiff_t(blind) * width, width);
    std::fill_n(scratch.scale.data(), columns_, 1.0f);  // the next tokens of the block find them scaled
  });
}

/// A query sees itself and what came before it.
void PrefillAttention::hide_later(const AttentionProblem& p, const Group& group, int token, int count, float* scores) const {
  for (int i = std::max(0, p.first + group.first / shared_ + 1 - token); i < count; ++i) {
    const int hidden = (token + i - p.first) * shared_ - group.first;  // columns of queries before that token
    std::fill_n(scores + std::ptrdiff_t(i) * columns_, std::clamp(hidden, 0, group.count), kLowestScore);
  }
}

void PrefillAttention::finish(const AttentionProblem& p, const Group& group, float* out, const Scratch& scratch) const {
  const int value = p.layout().value;
  for (int c = 0; c < group.count; ++c) {
    const int position = (group.first + c) / shared_, head = group.kv_head * shared_ + (group.first + c) % shared_;
    const float* sums = scratch.sums.data() + std::ptrdiff_t(c) * value;
    const float share = 1 / scratch.total[c];
    float* to = out + ((std::ptrdiff_t(position) * p.batch() + group.sequence) * p.heads + head) * value;
    for (int i = 0; i < value; ++i) to[i] = share * sums[i];
  }
}

}  // namespace mla
