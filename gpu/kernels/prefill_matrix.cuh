#pragma once

// Causal attention of many queries on the matrix units.

#include "gpu/kernels/latent_tile.cuh"
#include "gpu/kernels/prefill_rows.cuh"
#include "gpu/kernels/reduce.cuh"
#include "gpu/ops/prefill_tile.h"

namespace mla::gpu {

/// A block takes 16 rows of queries for each of its rows of warps and goes through the keys, 32 at a time, which are copied
/// while those before are met. The warps of one row share out the keys of the scores, then the columns of the values. Keys
/// and queries lie in shared memory as [NoPE part, RoPE part], values beside them unless they are columns of the keys.
/// Products says in which type they are multiplied; a scaled cache is widened on its way.
/// Grid: tiles of rows, key-value heads, batch.
template <class Products, int kTile>
struct PrefillMatrix {
  static constexpr const char* kName = kPrefillMatrix;
  static constexpr PrefillTile kSize = kPrefillTiles[kTile];
  static constexpr int kColumns = kSize.column_warps, kWarps = kSize.row_warps * kColumns, kThreads = 32 * kWarps;
  static constexpr int kBlocks = kColumns == 1 ? 3 : 1;
  static constexpr int kRows = 16 * kSize.row_warps, kKeys = PrefillShared::kKeys;
  static constexpr int kScores = kKeys / 8 / kColumns;           // 8-key tiles of a warp
  static constexpr int kSums = PrefillShared::kMostColumns / 8;  // 8-column tiles of a warp, at most

  struct Params {
    Prefill prefill;
    PrefillShared shared;
    int stages;
  };

  /// A warp's part of the work.
  struct Work {
    const Params& p;
    int kv_head, sequence, row;  // the block's first row
    int warp_row, warp_column, lane;

    MLA_DEVICE const DeviceAttention& problem() const { return p.prefill.problem; }
    MLA_DEVICE unsigned char* keys(int stage) const { return shared_memory() + p.shared.keys + stage * p.shared.stage; }
    MLA_DEVICE unsigned char* weights() const { return shared_memory() + p.shared.weights; }
    /// [column warps, rows] of what the warps of a row tell each other.
    MLA_DEVICE float* notes() const { return reinterpret_cast<float*>(shared_memory() + p.shared.notes); }
    /// Row g or g + 8 of a fragment, within the block.
    MLA_DEVICE int own_row(int half) const { return 16 * warp_row + lane / 4 + 8 * half; }
  };

  /// The online softmax of the two rows of a lane.
  struct Rows {
    float top[2] = {kLowest, kLowest}, total[2] = {};
    int last[2];  // key
  };

  static MLA_DEVICE void load_queries(const Work& w) {
    const Prefill& p = w.p.prefill;
    const int nope = p.nope.count / 8, all = nope + p.rope.count / 8;
    for (int row = int(threadIdx.x) / 32; row < kRows; row += kWarps) {
      const QueryRow query = QueryRow::of(p, w.kv_head, w.sequence, w.row + row);
      for (int chunk = w.lane; chunk < w.p.shared.key_chunks; chunk += 32) {
        Chunk packed{};
        if (query.there && chunk < all) {
          const float* from = chunk < nope ? p.problem.q_nope + query.query * p.nope.count + 8 * chunk
                                           : p.problem.q_rope + query.query * p.rope.count + 8 * (chunk - nope);
#pragma unroll
          for (int i = 0; i < 4; ++i) packed.word[i] = Products::pack(from[2 * i], from[2 * i + 1]);
        }
        *reinterpret_cast<Chunk*>(shared_memory() + row * w.p.shared.key_pitch + 16 * chunk) = packed;
      }
    }
  }

  /// Eight values of a row, from a column on, go to shared memory; zeros where the token is not there.
  static MLA_DEVICE void bring(const RowLayout& layout, const unsigned char* page, int slot, int column, bool there,
                               unsigned char* to) {
    if constexpr (Products::kScaled) {
      *reinterpret_cast<Chunk*>(to) = there ? widened(layout, page + slot * layout.bytes, column) : Chunk{};
    } else {
      const bool tiles = layout.page == PageLayout::tiles;
      copy_16(to, page + (tiles ? tiled_offset(slot, column) : slot * layout.bytes + 2 * column), there);
    }
  }

  /// Starts to bring the keys and values of tokens from `first` on; zeros from `end` on.
  static MLA_DEVICE void bring_tokens(const Work& w, int first, int end, int stage) {
    const Prefill& p = w.p.prefill;
    const PrefillShared& s = w.p.shared;
    const RowLayout& layout = p.problem.cache.row;
    const unsigned char* page = page_of(p.problem.cache, w.sequence, first);
    const int nope = p.nope.offset + w.kv_head * p.nope.stride, rope = p.rope.offset + w.kv_head * p.rope.stride,
              value = p.value.offset + w.kv_head * p.value.stride;
    const int used = p.nope.count + p.rope.count;
#pragma unroll 1
    for (int t = int(threadIdx.x) / 32; t < kKeys; t += kWarps) {
      const int slot = (first + t) % kPageTokens;
      const bool there = first + t < end;
      unsigned char* to = w.keys(stage) + t * s.key_pitch;
      for (int i = 8 * w.lane; i < 8 * s.key_chunks; i += 8 * 32) {
        const int column = i < p.nope.count ? nope + i : rope + i - p.nope.count;
        if (i < used) {
          bring(layout, page, slot, column, there, to + 2 * i);
        } else {
          *reinterpret_cast<Chunk*>(to + 2 * i) = Chunk{};
        }
      }
      to = w.keys(stage) + s.values + t * s.value_pitch;
      for (int i = 8 * w.lane; i < 8 * s.value_chunks; i += 8 * 32) {
        if (i < p.value.count) {
          bring(layout, page, slot, value + i, there, to + 2 * i);
        } else {
          *reinterpret_cast<Chunk*>(to + 2 * i) = Chunk{};
        }
      }
    }
    commit_copies();
  }

  /// The warp's rows of queries · its keys.
  static MLA_DEVICE void multiply_keys(const Work& w, int stage, float (&score)[kScores][4]) {
    const PrefillShared& s = w.p.shared;
    const int matrix = w.lane / 8, line = w.lane % 8;
    const unsigned char* query = shared_memory() + (16 * w.warp_row + matrix % 2 * 8 + line) * s.key_pitch + matrix / 2 * 16;
    const int first = w.warp_column * kScores * 8;
    const int key = first + (kScores > 1 ? matrix / 2 * 8 : 0) + line;
    const unsigned char* keys = w.keys(stage) + key * s.key_pitch + matrix % 2 * 16;
#pragma unroll 2
    for (int chunk = 0; chunk < s.key_chunks; chunk += 2) {
      std::uint32_t a[4];
      load_matrices(a, query + 16 * chunk);
      if constexpr (kScores == 1) {
        std::uint32_t b[2];
        load_matrix_pair(b, keys + 16 * chunk);
        Products::multiply(score[0], a, b[0], b[1]);
      } else {
#pragma unroll
        for (int i = 0; i < kScores; i += 2) {
          std::uint32_t b[4];
          load_matrices(b, keys + i * 8 * s.key_pitch + 16 * chunk);
          Products::multiply(score[i], a, b[0], b[1]);
          Products::multiply(score[i + 1], a, b[2], b[3]);
        }
      }
    }
  }

  /// The largest of a row's scores, among all warps of the row where there are several.
  static MLA_DEVICE void agree_on_top(const Work& w, float (&top)[2]) {
#pragma unroll
    for (int half = 0; half < 2; ++half) top[half] = warp_max<4>(top[half]);
    if constexpr (kColumns > 1) {
      for (int half = 0; half < 2; ++half)
        if (w.lane % 4 == 0) w.notes()[w.warp_column * kRows + w.own_row(half)] = top[half];
      sync_block();
      for (int half = 0; half < 2; ++half)
        for (int i = 0; i < kColumns; ++i) {
          const float other = w.notes()[i * kRows + w.own_row(half)];
          top[half] = other > top[half] ? other : top[half];
        }
    }
  }

  /// Scores of the keys from `first` on become e^(score - top) in shared memory. What was summed before is to be scaled.
  static MLA_DEVICE void soften(const Work& w, int first, float (&score)[kScores][4], Rows& rows, float (&scale)[2]) {
    const int column = w.warp_column * kScores * 8 + w.lane % 4 * 2;
    float top[2] = {rows.top[0], rows.top[1]};
#pragma unroll
    for (int i = 0; i < kScores; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (first + column + 8 * i + j % 2 > rows.last[j / 2]) score[i][j] = kLowest;
        top[j / 2] = score[i][j] > top[j / 2] ? score[i][j] : top[j / 2];
      }
    agree_on_top(w, top);
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      scale[half] = exp2_fast((rows.top[half] - top[half]) * kLog2E);
      rows.top[half] = top[half];
      rows.total[half] *= scale[half];
      unsigned char* weights = w.weights() + w.own_row(half) * PrefillShared::kWeightPitch + column * 2;
#pragma unroll
      for (int i = 0; i < kScores; ++i) {
        const float a = exp2_fast((score[i][2 * half] - top[half]) * kLog2E);
        const float b = exp2_fast((score[i][2 * half + 1] - top[half]) * kLog2E);
        rows.total[half] += a + b;
        *reinterpret_cast<std::uint32_t*>(weights + 16 * i) = Products::pack(a, b);
      }
    }
    if constexpr (kColumns > 1) {
      sync_block();
    } else {
      sync_warp();
    }
  }

  /// sum += the warp's rows of weights · its columns of the values.
  static MLA_DEVICE void multiply_values(const Work& w, int stage, const float (&scale)[2], float (&sum)[kSums][4]) {
    const PrefillShared& s = w.p.shared;
    const int matrix = w.lane / 8, line = w.lane % 8;
    const unsigned char* weights =
        w.weights() + (16 * w.warp_row + matrix % 2 * 8 + line) * PrefillShared::kWeightPitch + matrix / 2 * 16;
    const unsigned char* values = w.keys(stage) + s.values + (matrix % 2 * 8 + line) * s.value_pitch +
                                  (w.warp_column * s.own_columns / 8 + matrix / 2) * 16;
#pragma unroll
    for (int i = 0; i < kSums; ++i)
#pragma unroll
      for (int j = 0; j < 4; ++j) sum[i][j] *= scale[j / 2];
#pragma unroll
    for (int key = 0; key < kKeys; key += 16) {
      std::uint32_t a[4];
      load_matrices(a, weights + 2 * key);
#pragma unroll
      for (int i = 0; i < kSums; i += 2) {
        if (8 * i >= s.own_columns) break;
        std::uint32_t b[4];
        load_matrices_transposed(b, values + key * s.value_pitch + 16 * i);
        Products::multiply(sum[i], a, b[0], b[1]);
        Products::multiply(sum[i + 1], a, b[2], b[3]);
      }
    }
  }

  static MLA_DEVICE void write(const Work& w, const Rows& rows, const float (&sum)[kSums][4]) {
    const int value = w.p.prefill.value.count, begin = w.warp_column * w.p.shared.own_columns;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float total = warp_sum<4>(rows.total[half]);
      if constexpr (kColumns > 1) {
        sync_block();
        if (w.lane % 4 == 0) w.notes()[w.warp_column * kRows + w.own_row(half)] = total;
        sync_block();
        total = 0;
        for (int i = 0; i < kColumns; ++i) total += w.notes()[i * kRows + w.own_row(half)];
      }
      const QueryRow row = QueryRow::of(w.p.prefill, w.kv_head, w.sequence, w.row + w.own_row(half));
      float* out = w.problem().out + row.query * value;
#pragma unroll
      for (int i = 0; i < kSums; ++i) {
        const int column = begin + 8 * i + w.lane % 4 * 2;
        if (!row.there || 8 * i >= w.p.shared.own_columns || column >= value) continue;
        out[column] = sum[i][2 * half] / total;
        out[column + 1] = sum[i][2 * half + 1] / total;
      }
    }
  }

  static MLA_DEVICE void run(const Params& p) {
    if constexpr (Products::kCompiled) {
      const int warp = int(threadIdx.x) / 32;
      const Work w{
          p, int(blockIdx.y), int(blockIdx.z), first_row(kRows), warp / kColumns, warp % kColumns, int(threadIdx.x) % 32};
      const int end = keys_of_rows(p.prefill, w.row, kRows);
      Rows rows;
      for (int half = 0; half < 2; ++half)
        rows.last[half] = *w.problem().first + (w.row + w.own_row(half)) / p.prefill.shared;
      float sum[kSums][4] = {};
      load_queries(w);
      bring_tokens(w, 0, end, 0);
      int stage = 0;
      for (int first = 0; first < end; first += kKeys) {
        wait_copies<0>();
        sync_block();
        const bool more = first + kKeys < end;
        if (p.stages > 1 && more) bring_tokens(w, first + kKeys, end, stage ^ 1);
        float score[kScores][4] = {}, scale[2];
        multiply_keys(w, stage, score);
        soften(w, first, score, rows, scale);
        multiply_values(w, stage, scale, sum);
        if (p.stages > 1) {
          stage ^= 1;
        } else if (more) {
          sync_block();
          bring_tokens(w, first + kKeys, end, 0);
        }
      }
      write(w, rows, sum);
    }
  }
};

}  // namespace mla::gpu
