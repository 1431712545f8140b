// How a block of tokens meets the queries: as fp32, as bf16 pairs, as bytes, or head by head.
#include <algorithm>

#include "core/attention/one_pass.h"
#include "core/attention/packing.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;

bool values_are_keys(const KvLayout& layout) {
  return layout.nope > 0 && layout.nope == layout.value && layout.nope_offset == layout.value_offset;
}

/// A row's bytes from a column on, and how far behind them the scale of that column's group lies.
struct Bytes {
  const std::uint8_t* data;
  std::ptrdiff_t scales;
};

Bytes bytes_of(const KvCache& cache, int token, int column) {
  const RowFormat::Part& part = cache.format().part_of(column);
  const std::ptrdiff_t inside = column - part.column;
  const std::ptrdiff_t at = part.at + inside, scale = part.scaled + inside / kInt8Group * 2;
  return {reinterpret_cast<const std::uint8_t*>(cache.row(token)) + at, scale - at};
}

}  // namespace

/// The RoPE part first, so that the row keeps both: what it adds up to alone, and with the other.
void OnePassAttention::score(const AttentionProblem& p, const Block& block, Scratch& scratch) {
  std::fill_n(scratch.scores.data(), std::ptrdiff_t(block.count) * padded_, 0.0f);
  const bool kept = row_ && block.sequence == 0;
  for (const Part& part : parts_) {
    if (grouped_)
      score_heads(p, block, part, scratch);
    else if (products_ == Products::bf16)
      score_pairs(block, part, scratch);
    else if (products_ == Products::int8)
      score_bytes(block, part, scratch);
    else
      score_fp32(block, part, scratch);
    if (kept && part.rope) keep(p, block, row_->scores_rope, scratch);
  }
  if (kept) keep(p, block, row_->scores_nope, scratch);
}

void OnePassAttention::score_fp32(const Block& block, const Part& part, Scratch& scratch) const {
  const KvCache& cache = block.cache();
  const float* queries = packed_.data() + (std::ptrdiff_t(block.sequence) * width_ + part.query) * padded_;
  const bool fetch = block.next >= 0 && cache.dtype() == CacheDtype::fp32;
  const KvCache::Rows rows = cache.rows(kernels_, block.first, block.count, part.offset, part.width, scratch.rows.data());
  const float* ahead = fetch ? cache.rows(kernels_, block.next, 1, part.offset, part.width, nullptr).data : nullptr;
  kernels_.gemm_nn(block.count, padded_, part.width, rows.data, rows.stride, queries, padded_, scratch.scores.data(),
                   padded_, ahead);
}

/// Rows from a column on; those of an fp8 block are widened when its first part is met.
OnePassAttention::Halves OnePassAttention::halves_of(const Block& block, int offset, Scratch& scratch) const {
  const KvCache& cache = block.cache();
  if (cache.dtype() == CacheDtype::fp8) return {scratch.halves.data() + offset, cache.row_values()};
  return {reinterpret_cast<const std::uint16_t*>(cache.elements(block.first, offset)), cache.row_values()};
}

/// An fp8 block as bf16; the same row of the next one is fetched meanwhile.
void OnePassAttention::widen_block(const Block& block, Scratch& scratch) const {
  const KvCache& cache = block.cache();
  for (int i = 0; i < block.count; ++i) {
    const std::byte* ahead = block.next >= 0 ? cache.row(block.next) + i * cache.row_bytes() : nullptr;
    for (std::ptrdiff_t at = 0; ahead && at < cache.row_bytes(); at += 64) __builtin_prefetch(ahead + at, 0, 2);
    cache.format().widen(kernels_, cache.row(block.first + i),
                         scratch.halves.data() + std::ptrdiff_t(i) * cache.row_values());
  }
}

void OnePassAttention::score_pairs(const Block& block, const Part& part, Scratch& scratch) const {
  const KvCache& cache = block.cache();
  const bool stored = cache.dtype() == CacheDtype::bf16;
  if (!stored && &part == &parts_.front()) widen_block(block, scratch);
  const Halves rows = halves_of(block, part.offset, scratch);
  const void* ahead = stored && block.next >= 0 ? cache.elements(block.next, part.offset) : nullptr;
  kernels_.bf16->gemm_nn(block.count, padded_, part.width / 2, rows.data, rows.stride,
                         packed_pairs_.data() + (std::ptrdiff_t(block.sequence) * width_ + part.query) * padded_,
                         2 * padded_, scratch.scores.data(), padded_, static_cast<const std::uint16_t*>(ahead));
}

void OnePassAttention::score_bytes(const Block& block, const Part& part, Scratch& scratch) const {
  const Bytes rows = bytes_of(block.cache(), block.first, part.offset);
  const std::uint8_t* ahead = block.next >= 0 ? bytes_of(block.cache(), block.next, part.offset).data : nullptr;
  const std::ptrdiff_t group = first_group(block.sequence, part.rope);
  kernels_.int8->score_rows(block.count, padded_, part.width, rows.data, block.cache().row_bytes(), rows.scales,
                            packed_bytes_.data() + (std::ptrdiff_t(block.sequence) * width_ + part.query) * padded_,
                            byte_scales_.data() + group, byte_offsets_.data() + group, scratch.scores.data(), padded_,
                            ahead);
}

void OnePassAttention::add_values(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  if (grouped_) return add_heads(p, block, chunk, scratch);
  if (products_ == Products::fp32) return add_fp32(p, block, chunk, scratch);
  add_pairs(p, block, chunk, scratch);
}

void OnePassAttention::add_fp32(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  const bool there =
      values_are_keys(layout) && block.cache().dtype() != CacheDtype::fp32;  // widened as keys, which came last
  const KvCache::Rows rows =
      there ? KvCache::Rows{scratch.rows.data(), layout.value}
            : block.cache().rows(kernels_, block.first, block.count, layout.value_offset, layout.value, scratch.rows.data());
  kernels_.gemm_tn(p.heads, layout.value, block.count, scratch.scores.data(), padded_, rows.data, rows.stride,
                   block.first_of_chunk ? nullptr : scratch.scale.data(), chunk.sums, value_step_);
}

/// A few columns at a time, so that their pairs are still in the first-level cache when the heads' weights meet them. Bytes
/// all at once: they take longer to pair than to fetch again, and longest in short rows.
void OnePassAttention::add_pairs(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  kernels_.bf16->round_rows(block.count, padded_, scratch.scores.data(), padded_, scratch.weights.data(), 2 * padded_);
  const int most = products_ == Products::int8 ? layout.value : std::min(kPairColumns, layout.value), step = pair_step(most);
  for (int column = 0; column < layout.value; column += most) {
    const int columns = std::min(most, layout.value - column), offset = layout.value_offset + column;
    if (products_ == Products::int8) {
      const Bytes rows = bytes_of(block.cache(), block.first, offset);
      kernels_.int8->pair_rows(block.count, columns, rows.data, block.cache().row_bytes(), rows.scales,
                               scratch.values.data(), step);
    } else {
      const Halves rows = halves_of(block, offset, scratch);
      kernels_.bf16->pair_rows(block.count, columns, rows.data, rows.stride, scratch.values.data(), step);
    }
    kernels_.bf16->gemm_tn(p.heads, padded(columns), (block.count + 1) / 2, scratch.weights.data(), 2 * padded_,
                           scratch.values.data(), step, block.first_of_chunk ? nullptr : scratch.scale.data(),
                           chunk.sums + column, value_step_);
  }
}

/// Calls body(token in the block, count, data, distance, type) for the rows from column `offset`: all at once as they are
/// stored, or a few at a time as fp32 where they have scales.
template <class Body>
void OnePassAttention::for_elements(const Block& block, int offset, int columns, Scratch& scratch, Body body) const {
  const KvCache& cache = block.cache();
  if (!cache.format().scaled())
    return body(0, block.count, cache.elements(block.first, offset), cache.row_values(), cache.element());
  for (int i = 0; i < block.count; i += kStripeTokens) {
    const int count = std::min(kStripeTokens, block.count - i);
    const KvCache::Rows rows = cache.rows(kernels_, block.first + i, count, offset, columns, scratch.rows.data());
    body(i, count, rows.data, rows.stride, Element::fp32);
  }
}

void OnePassAttention::score_heads(const AttentionProblem& p, const Block& block, const Part& part, Scratch& scratch) const {
  const int kv_heads = block.kv.layout.kv_heads;
  const float* queries = (part.rope ? p.q_rope : p.q_nope) + std::ptrdiff_t(block.sequence) * p.heads * part.width;
  for_elements(block, part.offset, (kv_heads - 1) * part.step + part.width, scratch,
               [&](int first, int count, const void* data, std::ptrdiff_t ld, Element element) {
                 kernels_.score_rows[int(element)](count, p.heads, p.heads / kv_heads, part.width, part.step, queries, data,
                                                   ld, scratch.scores.data() + std::ptrdiff_t(first) * padded_, padded_);
               });
}

void OnePassAttention::add_heads(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  if (block.first_of_chunk)
    std::fill_n(chunk.sums, std::ptrdiff_t(p.heads) * value_step_, 0.0f);
  else
    scale_rows(scratch.scale.data(), p.heads, value_step_, chunk.sums, value_step_);
  for_elements(block, layout.value_offset, (layout.kv_heads - 1) * layout.value_stride + layout.value, scratch,
               [&](int first, int count, const void* data, std::ptrdiff_t ld, Element element) {
                 kernels_.sum_rows[int(element)](
                     count, p.heads, p.heads / layout.kv_heads, layout.value, layout.value_stride,
                     scratch.scores.data() + std::ptrdiff_t(first) * padded_, padded_, data, ld, chunk.sums, value_step_);
               });
}

}  // namespace mla
