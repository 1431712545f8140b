// How a block of tokens meets the queries: as fp32, as bf16 pairs, or head by head.
#include "core/attention/one_pass.h"

namespace mla {
namespace {

constexpr int kBlock = KvCache::kBlockTokens;

const std::uint16_t* halves(const KvCache& cache, int token, int offset) {
  return reinterpret_cast<const std::uint16_t*>(cache.elements(token, offset));
}

bool values_are_keys(const KvLayout& layout) {
  return layout.nope > 0 && layout.nope == layout.value && layout.nope_offset == layout.value_offset;
}

}  // namespace

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
    const std::uint16_t* ahead = block.more ? halves(cache, block.first + kBlock, part.offset) : nullptr;
    kernels_.bf16->gemm_nn(block.count, padded_, part.width / 2, halves(cache, block.first, part.offset), cache.row_values(),
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
  kernels_.bf16->pair_rows(block.count, layout.value, halves(cache, block.first, layout.value_offset), cache.row_values(),
                           scratch.values.data(), 2 * padded_value_);
  kernels_.bf16->gemm_tn(p.heads, padded_value_, (block.count + 1) / 2, scratch.weights.data(), 2 * padded_,
                         scratch.values.data(), 2 * padded_value_, chunk.sums.data(), padded_value_);
}

void OnePassAttention::score_heads(const AttentionProblem& p, const Block& block, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  const KvCache& cache = *block.kv.cache;
  const auto part = [&](int width, int offset, int step, const float* queries) {
    if (width == 0) return;
    kernels_.score_rows[int(cache.element())](block.count, p.heads, p.heads / layout.kv_heads, width, step,
                                              queries + std::ptrdiff_t(block.sequence) * p.heads * width,
                                              cache.elements(block.first, offset), cache.row_values(), scratch.scores.data(),
                                              padded_);
  };
  part(layout.nope, layout.nope_offset, layout.nope_stride, p.q_nope);
  part(layout.rope, layout.rope_offset, layout.rope_stride, p.q_rope);
}

void OnePassAttention::add_head_values(const AttentionProblem& p, const Block& block, Chunk& chunk, Scratch& scratch) const {
  const KvLayout& layout = block.kv.layout;
  const KvCache& cache = *block.kv.cache;
  kernels_.sum_rows[int(cache.element())](block.count, p.heads, p.heads / layout.kv_heads, layout.value, layout.value_stride,
                                          scratch.scores.data(), padded_, cache.elements(block.first, layout.value_offset),
                                          cache.row_values(), chunk.sums.data(), padded_value_);
}

}  // namespace mla
