#pragma once

// Blocks of cached tokens on their way into shared memory, where the matrix units read them.

#include "gpu/kernels/latent_products.cuh"
#include "gpu/kernels/split_attention.cuh"

namespace mla::gpu {

/// Where chunk `chunk` (8 values) of a row lies in rows of `pitch` bytes: exchanged so that the 8 rows of a matrix meet all
/// banks.
MLA_DEVICE int swizzled(int row, int chunk, int pitch) { return row * pitch + ((chunk ^ (row & 7)) << 4); }

/// Starts copies of the 16-bit rows of tokens [first, end) into a block's `to`; zeros follow up to kTokens.
template <int kTokens, int kWarps>
MLA_DEVICE void copy_rows(const CacheView& cache, const unsigned char* page, int first, int end, unsigned char* to,
                          int pitch) {
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32, chunks = cache.row.values / 8;
  const bool tiles = cache.row.page == PageLayout::tiles;
  for (int t = warp; t < kTokens; t += kWarps) {
    const int slot = (first + t) % kPageTokens;
    const bool there = first + t < end;
    for (int chunk = lane; chunk < chunks; chunk += 32) {
      const int from = tiles ? tiled_offset(slot, 8 * chunk) : slot * cache.row.bytes + 16 * chunk;
      copy_16(to + swizzled(t, chunk, pitch), page + from, there);
    }
  }
}

/// Starts copies of the rows of tokens [first, end), at most kTokens, as they are.
template <int kTokens, int kThreads>
MLA_DEVICE void copy_bytes(const CacheView& cache, const unsigned char* page, int first, int end, unsigned char* to) {
  const unsigned char* from = page + first % kPageTokens * cache.row.bytes;
  const int count = end - first < kTokens ? end - first : kTokens;
  for (int at = 16 * int(threadIdx.x); at < count * cache.row.bytes; at += 16 * kThreads) copy_16(to + at, from + at, true);
}

/// Eight values of a stored row as bf16.
MLA_DEVICE Chunk widened(const RowLayout& layout, const unsigned char* row, int column) {
  const RowPart& part = part_of(layout, column);
  const int i = column - part.column;
  Chunk chunk;
  if (part.dtype == CacheDtype::bf16) {
    for (int w = 0; w < 4; ++w) chunk.word[w] = load_32(row + part.at + 2 * i + 4 * w);
    return chunk;
  }
  const float scale = scale_of(part, row, i);
  const bool fp8 = part.dtype == CacheDtype::fp8;
  for (int half = 0; half < 2; ++half) {
    const std::uint32_t bytes = load_32(row + part.at + i + 4 * half);
    float value[4];
    for (int j = 0; j < 4; ++j) {
      const std::uint8_t byte = std::uint8_t(bytes >> (8 * j));
      value[j] = (fp8 ? float_of_fp8(byte) : float(int(byte) - 128)) * scale;
    }
    chunk.word[2 * half] = pack_bf16(value[0], value[1]);
    chunk.word[2 * half + 1] = pack_bf16(value[2], value[3]);
  }
  return chunk;
}

/// The stored rows of `count` tokens as bf16 rows; zeros follow up to kTokens.
template <int kTokens, int kWarps>
MLA_DEVICE void widen_rows(const RowLayout& layout, const unsigned char* from, int count, unsigned char* to, int pitch) {
  const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
  for (int t = warp; t < kTokens; t += kWarps)
    for (int chunk = lane; chunk < layout.values / 8; chunk += 32)
      *reinterpret_cast<Chunk*>(to + swizzled(t, chunk, pitch)) =
          t < count ? widened(layout, from + t * layout.bytes, 8 * chunk) : Chunk{};
}

}  // namespace mla::gpu
