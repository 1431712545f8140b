#pragma once

// What a block of the latent decode works on, and how it gets into shared memory.

#include "gpu/kernels/latent_tile.cuh"

namespace mla::gpu {

/// A block's share of an absorbed decode: heads, tokens, warps.
template <class Products, int kTile>
struct LatentBlock {
  static constexpr LatentTile kSize = kLatentTiles[kTile];
  static constexpr int kWarps = kSize.warps, kThreads = 32 * kWarps, kBlocks = kSize.rows == 64 ? 1 : 2;
  static constexpr int kTokens = kSize.tokens;
  static constexpr int kBands = kSize.rows / 16;   // of heads
  static constexpr int kGroups = kWarps / kBands;  // of tokens whose scores a warp has
  static constexpr int kEach = kTokens / kGroups;  // tokens of one
  static constexpr int kSteps = kEach / 8;
  static constexpr int kStrips = kMostLatentColumns / 16 / kWarps;  // of 16 columns whose sums a warp has

  struct Params {
    SplitAttention split;
    int tiles;  // of heads
    int stages;
    LatentShared shared;
  };

  struct Work {
    const Params& p;
    unsigned char* memory;
    SplitBlock block;
    int head;  // the first
    TokenRange range;
    int warp, lane;

    MLA_DEVICE const DeviceAttention& problem() const { return p.split.problem; }
    MLA_DEVICE int band() const { return warp % kBands; }
    MLA_DEVICE int group() const { return warp / kBands; }
    /// The thread's first row of its band's products; the other one is 8 below.
    MLA_DEVICE int row() const { return 16 * band() + lane / 4; }
    MLA_DEVICE float* tops() const { return reinterpret_cast<float*>(memory + p.shared.tops); }
    MLA_DEVICE float* scales() const { return reinterpret_cast<float*>(memory + p.shared.scales); }
    MLA_DEVICE unsigned char* stage(int i) const { return memory + p.shared.tokens + i * p.shared.stage; }
    MLA_DEVICE unsigned char* raw(int i) const { return memory + p.shared.raw + i * p.shared.raw_stage; }
  };

  static MLA_DEVICE void store_query(const Work& w, const float* query, int columns, int offset) {
    for (int row = w.warp; row < kSize.rows; row += kWarps) {
      const bool there = w.head + row < w.problem().heads;
      const float* from = query + w.block.row(w.p.split, w.head + row) * columns;
      for (int column = 2 * w.lane; column < columns; column += 64) {
        const std::uint32_t pair = there ? Products::pack(from[column], from[column + 1]) : 0;
        const int at = offset + column;
        unsigned char* to = w.memory + swizzled(row, at / 8, w.p.shared.pitch) + at % 8 * 2;
        *reinterpret_cast<std::uint32_t*>(to) = pair;
      }
    }
  }

  /// Starts the copy of block `i` of the split's tokens, where there is one.
  static MLA_DEVICE void fetch(const Work& w, int i) {
    const int first = w.range.begin + i * kTokens;
    if (first < w.range.end) {
      const CacheView& cache = w.problem().cache;
      const unsigned char* page = page_of(cache, w.block.sequence, first);
      if constexpr (Products::kScaled) {
        copy_bytes<kTokens, kThreads>(cache, page, first, w.range.end, w.raw(i % w.p.stages));
      } else {
        copy_rows<kTokens, kWarps>(cache, page, first, w.range.end, w.stage(i % w.p.stages), w.p.shared.pitch);
      }
    }
    commit_copies();
  }

  /// Waits for block `i`, and sees to the copies of those that follow. The rows as the matrix units read them.
  static MLA_DEVICE const unsigned char* take(const Work& w, int i) {
    if (w.p.stages == 1) {
      sync_block();
      fetch(w, i);
      wait_copies<0>();
    } else if (w.p.stages == 2) {
      wait_copies<0>();
    } else if (w.p.stages == 3) {
      wait_copies<1>();
    } else {
      wait_copies<2>();
    }
    sync_block();
    if (w.p.stages > 1) fetch(w, i + w.p.stages - 1);
    if constexpr (Products::kScaled) {
      const int count = w.range.end - (w.range.begin + i * kTokens);
      widen_rows<kTokens, kWarps>(w.problem().cache.row, w.raw(i % w.p.stages), count, w.stage(0), w.p.shared.pitch);
      sync_block();
      return w.stage(0);
    } else {
      return w.stage(i % w.p.stages);
    }
  }
};

}  // namespace mla::gpu
