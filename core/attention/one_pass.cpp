#include "core/attention/one_pass.h"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;
constexpr int kPad = 16;    // floats in the widest register
constexpr int kDepth = 64;  // rows of packed queries that stay in the first-level cache
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

void reserve(Buffer<float>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer = Buffer<float>(size);
}

/// Tokens that a thread takes at a time: whole blocks, an eighth of all, so that several threads have something to do.
int chunk_tokens(int keys) {
  constexpr int parts = 8, most = 8 * kBlock;
  return std::clamp((keys / parts + kBlock - 1) / kBlock * kBlock, kBlock, most);
}

bool same_columns(const KvLayout& layout) {
  return layout.nope == layout.value && layout.nope_offset == layout.value_offset;
}

}  // namespace

bool OnePassAttention::handles(const AttentionProblem& p) {
  constexpr int fewest = 4;  // with fewer heads a register would mostly hold padding
  const KvView& kv = p.sequences.front();
  return p.positions == 1 && kv.layout.kv_heads == 1 && p.heads >= fewest && !kv.up.key && !kv.up.value;
}

void OnePassAttention::prepare(const AttentionProblem& p) {
  const KvLayout& layout = p.layout();
  padded_ = (p.heads + kPad - 1) / kPad * kPad;
  chunks_ = (p.keys() + chunk_tokens(p.keys()) - 1) / chunk_tokens(p.keys());
  reserve(packed_, std::size_t(p.batch()) * (layout.nope + layout.rope) * padded_);
  scratch_.resize(std::size_t(pool_.threads()));
  for (Scratch& scratch : scratch_) {
    reserve(scratch.rows, p.sequences.front().scratch_values());
    reserve(scratch.scores, std::size_t(kBlock) * padded_);
    reserve(scratch.weights, std::size_t(kBlock) * p.heads);
    scratch.times = {};
  }
  parts_.resize(std::max(parts_.size(), std::size_t(p.batch()) * chunks_));
  for (std::size_t i = 0; i < std::size_t(p.batch()) * chunks_; ++i) {
    parts_[i].top.assign(std::size_t(p.heads), kLowest);
    parts_[i].total.assign(std::size_t(p.heads), 0.0f);
    reserve(parts_[i].sums, std::size_t(p.heads) * layout.value);
  }
}

/// Queries with their heads side by side, so that one value of a key meets a register of heads.
void OnePassAttention::pack_queries(const AttentionProblem& p) {
  const int nope = p.layout().nope, rope = p.layout().rope;
  for (int s = 0; s < p.batch(); ++s) {
    float* to = packed_.data() + std::ptrdiff_t(s) * (nope + rope) * padded_;
    std::fill_n(to, std::ptrdiff_t(nope + rope) * padded_, 0.0f);
    for (int h = 0; h < p.heads; ++h) {
      const std::ptrdiff_t row = std::ptrdiff_t(s) * p.heads + h;
      for (int i = 0; i < nope; ++i) to[std::ptrdiff_t(i) * padded_ + h] = p.q_nope[row * nope + i];
      for (int i = 0; i < rope; ++i) to[std::ptrdiff_t(nope + i) * padded_ + h] = p.q_rope[row * rope + i];
    }
  }
}

OnePassAttention::Times OnePassAttention::run(const AttentionProblem& p, float* out) {
  prepare(p);
  pack_queries(p);
  const int tokens = chunk_tokens(p.keys());
  pool_.run(p.batch() * chunks_, [&](int item, int thread) {
    const int sequence = item / chunks_, first = item % chunks_ * tokens;
    sum_chunk(p, sequence, first, std::min(p.keys(), first + tokens), parts_[item], thread);
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

void OnePassAttention::sum_chunk(const AttentionProblem& p, int sequence, int first, int last, Chunk& chunk, int thread) {
  const KvView& kv = p.sequences[sequence];
  const KvLayout& layout = kv.layout;
  Scratch& scratch = scratch_[thread];
  float *scores = scratch.scores.data(), *weights = scratch.weights.data();
  std::fill_n(chunk.sums.data(), std::ptrdiff_t(p.heads) * layout.value, 0.0f);
  const float* queries = packed_.data() + std::ptrdiff_t(sequence) * (layout.nope + layout.rope) * padded_;
  const auto score = [&](const KvView::Rows& keys, int width, const float* q, int count) {
    for (int k = 0; k < width; k += kDepth)
      kernels_.gemm_nn(count, padded_, std::min(kDepth, width - k), keys.data + k, keys.stride,
                       q + std::ptrdiff_t(k) * padded_, padded_, scores, padded_);
  };
  Lap lap;
  for (int t = first; t < last; t += kBlock) {
    const int count = std::min(kBlock, last - t);
    std::fill_n(scores, std::ptrdiff_t(count) * padded_, 0.0f);
    if (layout.rope)
      score(kv.rope(kernels_, 0, t, count, scratch.rows.data()), layout.rope,
            queries + std::ptrdiff_t(layout.nope) * padded_, count);
    KvView::Rows rows{};
    if (layout.nope) score(rows = kv.nope(kernels_, 0, t, count, scratch.rows.data()), layout.nope, queries, count);
    lap(scratch.times.scores);
    for (int h = 0; h < p.heads; ++h) {
      float* row = weights + std::ptrdiff_t(h) * kBlock;
      for (int i = 0; i < count; ++i) row[i] = scores[std::ptrdiff_t(i) * padded_ + h];
      const float scale = kernels_.softmax_step(row, count, &chunk.top[h], &chunk.total[h]);
      if (scale == 1) continue;
      float* sums = chunk.sums.data() + std::ptrdiff_t(h) * layout.value;
      for (int i = 0; i < layout.value; ++i) sums[i] *= scale;
    }
    lap(scratch.times.softmax);
    if (!same_columns(layout) || !layout.nope) rows = kv.values(kernels_, 0, t, count, 0, layout.value, scratch.rows.data());
    kernels_.gemm_nn(p.heads, layout.value, count, weights, kBlock, rows.data, rows.stride, chunk.sums.data(), layout.value);
    lap(scratch.times.values);
  }
}

/// The chunks of one head, each scaled to the top of all.
void OnePassAttention::merge(const AttentionProblem& p, int sequence, int head, float* out) const {
  const Chunk* chunks = parts_.data() + std::ptrdiff_t(sequence) * chunks_;
  const int value = p.layout().value;
  float top = kLowest, total = 0;
  for (int c = 0; c < chunks_; ++c) top = std::max(top, chunks[c].top[head]);
  for (int c = 0; c < chunks_; ++c) total += chunks[c].total[head] * std::exp(chunks[c].top[head] - top);
  float* to = out + (std::ptrdiff_t(sequence) * p.heads + head) * value;
  std::fill_n(to, value, 0.0f);
  for (int c = 0; c < chunks_; ++c) {
    const float share = std::exp(chunks[c].top[head] - top) / total;
    const float* sums = chunks[c].sums.data() + std::ptrdiff_t(head) * value;
    for (int i = 0; i < value; ++i) to[i] += share * sums[i];
  }
}

}  // namespace mla
