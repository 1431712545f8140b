#pragma once

// Absorbed MLA on the matrix units.

#include "gpu/kernels/latent_block.cuh"
#include "gpu/kernels/reduce.cuh"

namespace mla::gpu {

/// One split of a sequence's tokens for kRows heads, which are the rows of the products. A block of tokens lies in shared
/// memory once, as keys [tokens, latent + RoPE] and as values [tokens, latent]. The warps share the scores by 16 heads and
/// by tokens, the sums by columns; the softmax goes along from block to block (Milakov and Gimelshein 2018,
/// arXiv:1805.02867).
template <class Products, int kTile>
struct LatentDecode : LatentBlock<Products, kTile> {
  using Block = LatentBlock<Products, kTile>;
  using Block::kBands, Block::kEach, Block::kGroups, Block::kSize, Block::kSteps, Block::kStrips, Block::kTokens,
      Block::kWarps;
  using typename Block::Params;
  using typename Block::Work;

  static constexpr const char* kName = latent_decode_name(Products::kKind, kSize.rows);

  using Scores = float[kSteps][4];
  using Sums = float[kBands][kStrips][2][4];

  /// What a thread follows of its two rows.
  struct Rows {
    float top[2], total[2];
  };

  /// scores += queries · keys over the chunks [from, to).
  static MLA_DEVICE void score(const Work& w, const unsigned char* tokens, int from, int to, Scores& scores) {
    const int pitch = w.p.shared.pitch, token = w.group() * kEach + w.lane % 8;
    const int query_row = 16 * w.band() + w.lane % 16;
#pragma unroll 4
    for (int chunk = from; chunk < to; chunk += 2) {
      std::uint32_t a[4];
      load_matrices(a, w.memory + swizzled(query_row, chunk + w.lane / 16, pitch));
      if constexpr (kSteps == 1) {
        std::uint32_t b[2];
        load_matrix_pair(b, tokens + swizzled(token, chunk + w.lane / 8 % 2, pitch));
        Products::multiply(scores[0], a, b[0], b[1]);
      } else {
#pragma unroll
        for (int step = 0; step < kSteps; step += 2) {
          std::uint32_t b[4];
          load_matrices(b, tokens + swizzled(token + 8 * (step + w.lane / 16), chunk + w.lane / 8 % 2, pitch));
          Products::multiply(scores[step], a, b[0], b[1]);
          Products::multiply(scores[step + 1], a, b[2], b[3]);
        }
      }
    }
  }

  /// Calls body(score, row, token) for a thread's scores of the block that begins with token `first`.
  template <class Body>
  static MLA_DEVICE void for_scores(const Work& w, int first, Scores& scores, const Body& body) {
#pragma unroll
    for (int step = 0; step < kSteps; ++step)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        body(scores[step][i], w.row() + i / 2 * 8, first + w.group() * kEach + 8 * step + w.lane % 4 * 2 + i % 2);
  }

  /// The RoPE part of the scores, then the whole: the NoPE part is what was added. A thread reads back only what it wrote
  /// itself.
  static MLA_DEVICE void trace(const Work& w, int first, Scores& scores, bool whole) {
    const DeviceAttention& a = w.problem();
    if (!traced(a.trace, w.block.sequence)) return;
    for_scores(w, first, scores, [&](float score, int row, int token) {
      if (w.head + row >= a.heads || token >= w.range.end) return;
      const std::int64_t at = (std::int64_t(w.block.position) * a.heads + w.head + row) * a.trace.stride + token;
      if (!whole) {
        if (a.trace.nope) a.trace.nope[at] = score;
        if (a.trace.rope) a.trace.rope[at] = score;
      } else {
        if (a.trace.nope) a.trace.nope[at] = score - a.trace.nope[at];
        if (a.trace.weights) a.trace.weights[at] = score;
      }
    });
  }

  static MLA_DEVICE void score_block(const Work& w, const unsigned char* tokens, int first, Scores& scores) {
    const int nope = w.problem().layout.nope / 8, all = nope + w.problem().layout.rope / 8;
    score(w, tokens, nope, all, scores);
    trace(w, first, scores, false);
    score(w, tokens, 0, nope, scores);
    trace(w, first, scores, true);
    for_scores(w, first, scores, [&](float& s, int, int token) { s = token < w.range.end ? s : kLowest; });
  }

  /// The largest score of each row, for all warps.
  static MLA_DEVICE void share_tops(const Work& w, const Scores& scores) {
    float top[2] = {kLowest, kLowest};
#pragma unroll
    for (int step = 0; step < kSteps; ++step)
#pragma unroll
      for (int i = 0; i < 4; ++i) top[i / 2] = scores[step][i] > top[i / 2] ? scores[step][i] : top[i / 2];
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      top[i] = warp_max<4>(top[i]);
      if (w.lane % 4 == 0) w.tops()[w.group() * kSize.rows + w.row() + 8 * i] = top[i];
    }
  }

  /// Scores become e^(score - top) as 16-bit values in shared memory, beside the scale of what was summed so far.
  static MLA_DEVICE void share_weights(const Work& w, const Scores& scores, Rows& rows) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int row = w.row() + 8 * i;
      float top = rows.top[i];
      for (int g = 0; g < kGroups; ++g) {
        const float other = w.tops()[g * kSize.rows + row];
        top = other > top ? other : top;
      }
      const float scale = exp2_fast((rows.top[i] - top) * kLog2E), shift = top * kLog2E;
      float total = rows.total[i] * scale;
      unsigned char* to = w.memory + w.p.shared.weights + row * w.p.shared.weight_pitch;
#pragma unroll
      for (int step = 0; step < kSteps; ++step) {
        const float x = exp2_fast(scores[step][2 * i] * kLog2E - shift),
                    y = exp2_fast(scores[step][2 * i + 1] * kLog2E - shift);
        total += x + y;
        const int token = w.group() * kEach + 8 * step + w.lane % 4 * 2;
        *reinterpret_cast<std::uint32_t*>(to + 2 * token) = Products::pack(x, y);
      }
      rows.top[i] = top;
      rows.total[i] = total;
      if (w.group() == 0 && w.lane % 4 == 0) w.scales()[row] = scale;
    }
  }

  static MLA_DEVICE void rescale(const Work& w, Sums& sums) {
#pragma unroll
    for (int band = 0; band < kBands; ++band) {
      const float scale[2] = {w.scales()[16 * band + w.lane / 4], w.scales()[16 * band + w.lane / 4 + 8]};
      if (scale[0] == 1.0f && scale[1] == 1.0f) continue;
#pragma unroll
      for (int strip = 0; strip < kStrips; ++strip)
#pragma unroll
        for (int i = 0; i < 8; ++i) sums[band][strip][i / 4][i % 4] *= scale[i / 2 % 2];
    }
  }

  /// sums += weights · values. A warp has the strips warp, warp + kWarps, …
  static MLA_DEVICE void add_values(const Work& w, const unsigned char* tokens, Sums& sums) {
    const int strips = w.problem().layout.value / 16;
#pragma unroll
    for (int step = 0; step < kTokens / 16; ++step) {
      std::uint32_t a[kBands][4];
#pragma unroll
      for (int band = 0; band < kBands; ++band)
        load_matrices(a[band], w.memory + w.p.shared.weights + (16 * band + w.lane % 16) * w.p.shared.weight_pitch +
                                   32 * step + w.lane / 16 * 16);
#pragma unroll
      for (int i = 0; i < kStrips; ++i) {
        const int strip = w.warp + i * kWarps;
        if (strip >= strips) continue;  // the whole warp
        std::uint32_t b[4];
        load_matrices_transposed(b, tokens + swizzled(16 * step + w.lane % 16, 2 * strip + w.lane / 16, w.p.shared.pitch));
#pragma unroll
        for (int band = 0; band < kBands; ++band) {
          Products::multiply(sums[band][i][0], a[band], b[0], b[1]);
          Products::multiply(sums[band][i][1], a[band], b[2], b[3]);
        }
      }
    }
  }

  /// The rows' totals over all warps: to memory, and their inverses to shared memory.
  static MLA_DEVICE void share_totals(const Work& w, const Rows& rows) {
    sync_block();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const float total = warp_sum<4>(rows.total[i]);
      if (w.lane % 4 == 0) w.tops()[w.group() * kSize.rows + w.row() + 8 * i] = total;
    }
    sync_block();
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int row = w.row() + 8 * i;
      float total = 0;
      for (int g = 0; g < kGroups; ++g) total += w.tops()[g * kSize.rows + row];
      if (w.group() != 0 || w.lane % 4 != 0) continue;
      w.scales()[row] = total == 0.0f ? 0.0f : 1.0f / total;
      if (w.head + row < w.problem().heads) w.p.split.totals[w.block.result(w.p.split, w.head + row)] = {rows.top[i], total};
    }
    sync_block();
  }

  static MLA_DEVICE void store(const Work& w, const Sums& sums) {
    const int value = w.problem().layout.value;
#pragma unroll
    for (int band = 0; band < kBands; ++band)
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = 16 * band + w.lane / 4 + 8 * half;
        if (w.head + row >= w.problem().heads) continue;
        const float scale = w.scales()[row];
        float* out = w.p.split.sums + w.block.result(w.p.split, w.head + row) * value + w.lane % 4 * 2;
#pragma unroll
        for (int i = 0; i < kStrips; ++i)
#pragma unroll
          for (int side = 0; side < 2; ++side) {
            const int column = 16 * (w.warp + i * kWarps) + 8 * side;
            if (column >= value) continue;
            out[column] = sums[band][i][side][2 * half] * scale;
            out[column + 1] = sums[band][i][side][2 * half + 1] * scale;
          }
      }
  }

  static MLA_DEVICE void decode(const Params& p) {
    const SplitBlock block = SplitBlock::of(p.split, p.tiles);
    const Work w{p,
                 shared_memory(),
                 block,
                 block.tile * kSize.rows,
                 tokens_of(p.split, block.position, block.split),
                 int(threadIdx.x) / 32,
                 int(threadIdx.x) % 32};
    for (int i = 0; i < p.stages - 1; ++i) Block::fetch(w, i);
    Block::store_query(w, w.problem().q_nope, w.problem().layout.nope, 0);
    Block::store_query(w, w.problem().q_rope, w.problem().layout.rope, w.problem().layout.nope);
    Sums sums = {};
    Rows rows = {{kLowest, kLowest}, {0, 0}};
    for (int i = 0; w.range.begin + i * kTokens < w.range.end; ++i) {
      const unsigned char* tokens = Block::take(w, i);
      Scores scores = {};
      score_block(w, tokens, w.range.begin + i * kTokens, scores);
      share_tops(w, scores);
      sync_block();
      share_weights(w, scores, rows);
      sync_block();
      rescale(w, sums);
      add_values(w, tokens, sums);
    }
    share_totals(w, rows);
    store(w, sums);
  }

  static MLA_DEVICE void run(const Params& p) {
    if constexpr (Products::kCompiled) decode(p);
  }
};

}  // namespace mla::gpu
