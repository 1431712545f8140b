#include "core/attention/attention_kernel.h"

#include <algorithm>
#include <cstring>

#include "core/attention/packing.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;

/// Calls body(m, query_row, query_step, score_row, score_step) for groups of m query rows that share a key-value head and
/// lie at equal distances, for the queries [from, to) of one sequence. Rows count heads: [positions, batch, heads] for
/// queries, [batch, positions, heads] for scores.
template <class Body>
void for_rows(const AttentionProblem& p, int sequence, int kv_head, int from, int to, Body body) {
  const int shared = p.heads / p.layout().kv_heads, head = kv_head * shared;
  const auto query = [&](int i) { return (std::ptrdiff_t(i) * p.batch() + sequence) * p.heads + head; };
  const auto score = [&](int i) { return (std::ptrdiff_t(sequence) * p.positions + i) * p.heads + head; };
  if (shared == p.heads && p.batch() == 1) {
    body((to - from) * p.heads, query(from), 1, score(from), 1);
  } else if (shared == 1) {
    body(to - from, query(from), std::ptrdiff_t(p.batch()) * p.heads, score(from), p.heads);
  } else {
    for (int i = from; i < to; ++i) body(shared, query(i), 1, score(i), 1);
  }
}

/// Whether one query a head meets keys and values that lie in the cache head beside head: then tokens are taken a few at a
/// time and all heads at each, so that memory is read in the order in which it lies. A head at a time would jump a whole row
/// for each token.
bool streams(const AttentionProblem& p) {
  return p.positions == 1 && p.layout().kv_heads > 1 && !p.sequences.front().up.any();
}

/// Calls body(first, count) for a few tokens at a time, never across two blocks.
template <class Body>
void for_stripes(int from, int to, Body body) {
  constexpr int stripe = 8;
  static_assert(kBlock % stripe == 0);
  for (int first = from; first < to; first += stripe) body(first, std::min(stripe, to - first));
}

}  // namespace

void AttentionKernel::prepare(const AttentionProblem& p) {
  stride_ = (p.keys() + 15) / 16 * 16;
  const std::size_t size = std::size_t(p.batch()) * p.positions * p.heads * stride_;
  reserve(nope_, size);
  if (p.layout().rope) reserve(rope_, size);
  scratch_.resize(pool_.threads());
  for (auto& scratch : scratch_) reserve(scratch, p.sequences.front().scratch_values());
}

void AttentionKernel::scores(const AttentionProblem& p) {
  prepare(p);
  if (streams(p)) return stream_scores(p);
  const int heads = p.layout().kv_heads, blocks = (p.keys() + kBlock - 1) / kBlock;
  // Items of several blocks each, so that handing one out costs little beside it.
  const int per_item = std::max(1, std::min(blocks / (2 * pool_.threads()), 8));
  const int groups = (blocks + per_item - 1) / per_item;
  pool_.run(p.batch() * heads * groups, [&](int item, int thread) {
    const int group = item % groups, head = item / groups % heads, sequence = item / groups / heads;
    for (int b = group * per_item; b < std::min(blocks, (group + 1) * per_item); ++b)
      score_tokens(p, sequence, head, b * kBlock, std::min(kBlock, p.keys() - b * kBlock), scratch_[thread].data());
  });
}

void AttentionKernel::stream_scores(const AttentionProblem& p) {
  const int blocks = (p.keys() + kBlock - 1) / kBlock;
  pool_.run(p.batch() * blocks, [&](int item, int thread) {
    const int block = item % blocks, sequence = item / blocks;
    for_stripes(block * kBlock, std::min(p.keys(), (block + 1) * kBlock), [&](int first, int count) {
      for (int head = 0; head < p.layout().kv_heads; ++head)
        score_tokens(p, sequence, head, first, count, scratch_[thread].data());
    });
  });
}

/// Scores of the tokens [first, first + count), which lie in one block.
void AttentionKernel::score_tokens(const AttentionProblem& p, int sequence, int head, int first, int count, float* scratch) {
  const KvView& kv = p.sequences[sequence];
  const KvLayout& layout = kv.layout;
  const int from = std::max(0, first - p.first);  // earlier queries see none of this block
  const auto part = [&](const KvView::Rows& keys, const float* queries, int n, float* scores) {
    for_rows(p, sequence, head, from, p.positions,
             [&](int m, std::ptrdiff_t q, std::ptrdiff_t q_step, std::ptrdiff_t s, std::ptrdiff_t s_step) {
               kernels_.gemm_nt(m, count, n, queries + q * n, q_step * n, keys.data, keys.stride,
                                scores + s * stride_ + first, s_step * stride_);
             });
  };
  if (layout.nope) {
    part(kv.nope(kernels_, head, first, count, scratch), p.q_nope, layout.nope, nope_.data());
  } else {
    for_rows(p, sequence, head, from, p.positions,
             [&](int m, std::ptrdiff_t, std::ptrdiff_t, std::ptrdiff_t s, std::ptrdiff_t s_step) {
               for (int i = 0; i < m; ++i) std::fill_n(nope_.data() + (s + i * s_step) * stride_ + first, count, 0.0f);
             });
  }
  if (layout.rope) part(kv.rope(kernels_, head, first, count, scratch), p.q_rope, layout.rope, rope_.data());
}

void AttentionKernel::softmax(const AttentionProblem& p, bool keep_parts) {
  const int rows = p.batch() * p.positions * p.heads;
  if (keep_parts) reserve(weights_, std::size_t(rows) * stride_);
  float* out = keep_parts ? weights_.data() : nope_.data();
  final_ = out;
  const int step = std::max(1, 4096 / stride_);
  pool_.run((rows + step - 1) / step, [&](int item, int) {
    for (int r = item * step; r < std::min(rows, (item + 1) * step); ++r) {
      const std::ptrdiff_t at = std::ptrdiff_t(r) * stride_;
      const int keys = p.first + r / p.heads % p.positions + 1;
      kernels_.softmax(nope_.data() + at, p.layout().rope ? rope_.data() + at : nullptr, out + at, keys);
      std::fill(out + at + keys, out + at + p.keys(), 0.0f);
    }
  });
}

void AttentionKernel::values(const AttentionProblem& p, int from, float* out) {
  const KvLayout& layout = p.layout();
  const int positions = p.positions - from, units = p.batch() * layout.kv_heads;
  std::fill_n(out, std::ptrdiff_t(positions) * p.batch() * p.heads * layout.value, 0.0f);
  if (streams(p)) return stream_values(p, out);
  // Enough items for all threads: split queries where there are many, otherwise columns (in whole cache lines).
  const int wanted = units >= 2 * pool_.threads() ? 1 : (2 * pool_.threads() + units - 1) / units;
  const bool by_query = positions >= 8 * wanted;
  const int length = by_query ? positions : layout.value, grain = by_query ? 1 : 16;
  const int step = std::max(grain, (length + wanted * grain - 1) / (wanted * grain) * grain);
  const int parts = (length + step - 1) / step;
  pool_.run(units * parts, [&](int item, int thread) {
    const int part = item % parts, unit = item / parts, sequence = unit / layout.kv_heads, head = unit % layout.kv_heads;
    const int begin = part * step, end = std::min(length, begin + step);
    float* scratch = scratch_[thread].data();
    if (by_query) {
      sum_rows(p, sequence, head, from + begin, from + end, 0, layout.value, from, out, scratch);
    } else {
      sum_rows(p, sequence, head, from, p.positions, begin, end - begin, from, out, scratch);
    }
  });
}

/// Each thread takes some heads of all tokens, so that no sums have to be merged.
void AttentionKernel::stream_values(const AttentionProblem& p, float* out) {
  const int heads = p.layout().kv_heads, value = p.layout().value, shared = p.heads / heads;
  const int wanted = std::max(1, (2 * pool_.threads() + p.batch() - 1) / p.batch());
  const int step = (heads + wanted - 1) / wanted, parts = (heads + step - 1) / step;
  pool_.run(p.batch() * parts, [&](int item, int thread) {
    const int sequence = item / parts, begin = item % parts * step, end = std::min(heads, begin + step);
    const KvView& kv = p.sequences[sequence];
    for_stripes(0, p.keys(), [&](int first, int count) {
      for (int head = begin; head < end; ++head) {
        const KvView::Rows rows = kv.values(kernels_, head, first, count, 0, value, scratch_[thread].data());
        const std::ptrdiff_t row = std::ptrdiff_t(sequence) * p.heads + std::ptrdiff_t(head) * shared;
        kernels_.gemm_nn(shared, value, count, final_ + row * stride_ + first, stride_, rows.data, rows.stride,
                         out + row * value, value, nullptr);
      }
    });
  });
}

void AttentionKernel::sum_rows(const AttentionProblem& p, int sequence, int head, int from, int to, int column, int columns,
                               int origin, float* out, float* scratch) {
  const KvView& kv = p.sequences[sequence];
  const int value = kv.layout.value, keys = p.first + to;
  const std::ptrdiff_t skipped = std::ptrdiff_t(origin) * p.batch() * p.heads;  // `out` begins at query `origin`
  for (int first = 0; first < keys; first += kBlock) {
    const int count = std::min(kBlock, keys - first), begin = std::max(from, first - p.first);
    const KvView::Rows rows = kv.values(kernels_, head, first, count, column, columns, scratch);
    for_rows(p, sequence, head, begin, to,
             [&](int m, std::ptrdiff_t q, std::ptrdiff_t q_step, std::ptrdiff_t s, std::ptrdiff_t s_step) {
               kernels_.gemm_nn(m, columns, count, final_ + s * stride_ + first, s_step * stride_, rows.data, rows.stride,
                                out + (q - skipped) * value + column, q_step * value, nullptr);
             });
  }
}

std::shared_ptr<const AttentionRow> AttentionKernel::row(const AttentionProblem& p, int i, int layer) const {
  auto row = std::make_shared<AttentionRow>();
  row->layer = layer;
  row->query = p.first + i;
  row->heads = p.heads;
  row->keys = p.first + i + 1;
  const auto copy = [&](const float* from, std::vector<float>& to) {
    to.resize(std::size_t(p.heads) * row->keys);
    for (int h = 0; h < p.heads; ++h)
      std::memcpy(to.data() + std::size_t(h) * row->keys, from + (std::ptrdiff_t(i) * p.heads + h) * stride_,
                  std::size_t(row->keys) * 4);
  };
  copy(final_, row->weights);
  copy(nope_.data(), row->scores_nope);
  if (p.layout().rope) copy(rope_.data(), row->scores_rope);
  return row;
}

}  // namespace mla
