#pragma once

// Causal attention of many queries in fp32, for caches of every type and rows of every width.

#include "gpu/kernels/prefill_rows.cuh"
#include "gpu/kernels/reduce.cuh"

namespace mla::gpu {

/// A block takes 64 rows and goes through the pages: a thread has 4 rows by 4 keys of the scores, then 4 rows by 4 columns
/// in each of kChunks runs of 64 columns of the sums. Grid: tiles of rows, key-value heads times blocks of kChunks · 64
/// value columns, batch.
template <int kChunks>
struct PrefillTiled {
  static constexpr const char* kName = "prefill_tiled";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = kChunks <= 2 && kCapability != 75 ? 2 : 1;  // two would spill there
  static constexpr int kRows = 64, kDepth = 32, kStride = kRows + 4;
  static constexpr std::size_t kShared = sizeof(float) * 2 * kPageTokens * kStride;
  using Params = Prefill;

  struct Place {
    int kv_head, column, sequence, row;  // the first value column, the first row
    int tx, ty;
  };

  static MLA_DEVICE void run(const Params& p) {
    const Place place = place_of(p);
    const int keys = keys_of_rows(p, place.row, kRows);
    float acc[kChunks][4][4] = {}, maximum[4], total[4] = {};
    for (float& m : maximum) m = kLowest;
    for (int key = 0; key < keys; key += kPageTokens) {
      const unsigned char* page = page_of(p.problem.cache, place.sequence, key);
      const int count = keys - key < kPageTokens ? keys - key : kPageTokens;
      float score[4][4] = {};
      add_products(p, place, p.nope, p.problem.q_nope, page, count, score);
      add_products(p, place, p.rope, p.problem.q_rope, page, count, score);
      float factor[4];
      soften(p, place, key, score, maximum, total, factor);
      add_values(p, place, page, count, factor, acc);
    }
    write(p, place, total, acc);
  }

  static MLA_DEVICE Place place_of(const Params& p) {
    const int blocks = (p.value.count + kChunks * 64 - 1) / (kChunks * 64);
    Place place;
    place.kv_head = int(blockIdx.y) / blocks;
    place.column = int(blockIdx.y) % blocks * kChunks * 64;
    place.sequence = int(blockIdx.z);
    place.row = first_row(kRows);
    place.tx = int(threadIdx.x) % 16, place.ty = int(threadIdx.x) / 16;
    return place;
  }

  static MLA_DEVICE Floats4 four(const float* from) { return *reinterpret_cast<const Floats4*>(from); }

  /// Keys and queries go through shared memory 32 columns at a time, transposed, so that four neighbours are read at once.
  static MLA_DEVICE void add_products(const Params& p, const Place& place, const HeadColumns& columns, const float* queries,
                                      const unsigned char* page, int count, float (&score)[4][4]) {
    float* q = reinterpret_cast<float*>(shared_memory());
    float* k = q + kDepth * kStride;
    const HeadRun run = run_of(p.problem.cache.row, columns, place.kv_head);
    const int row = int(threadIdx.x) % kRows, part = int(threadIdx.x) / kRows * 8;
    const QueryRow query = QueryRow::of(p, place.kv_head, place.sequence, place.row + row);
    for (int column = 0; column < run.count; column += kDepth) {
      float x[8] = {};
      if (row < count) load_eight_or_fewer(p.problem.cache.row, page, row, run, columns.aligned, column + part, x);
#pragma unroll
      for (int i = 0; i < 8; ++i) {
        const int c = column + part + i;
        k[(part + i) * kStride + row] = x[i];
        q[(part + i) * kStride + row] = query.there && c < run.count ? queries[query.query * run.count + c] : 0.0f;
      }
      sync_block();
#pragma unroll 8
      for (int c = 0; c < kDepth; ++c) {
        const Floats4 a = four(q + c * kStride + place.ty * 4), b = four(k + c * kStride + place.tx * 4);
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int j = 0; j < 4; ++j) score[i][j] += a.value[i] * b.value[j];
      }
      sync_block();
    }
  }

  /// Scores become weights in shared memory [keys, rows]; the 16 threads that share rows agree on maxima and totals.
  static MLA_DEVICE void soften(const Params& p, const Place& place, int key, float (&score)[4][4], float (&maximum)[4],
                                float (&total)[4], float (&factor)[4]) {
    float* weights = reinterpret_cast<float*>(shared_memory()) + kPageTokens * kStride;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const int last = *p.problem.first + (place.row + place.ty * 4 + i) / p.shared;
      float here = kLowest;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        if (key + place.tx * 4 + j > last) score[i][j] = kLowest;
        here = here > score[i][j] ? here : score[i][j];
      }
      here = warp_max<16>(here);
      const float now = maximum[i] > here ? maximum[i] : here;
      factor[i] = exp2_fast((maximum[i] - now) * kLog2E);
      maximum[i] = now;
      float sum = 0;
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        const float weight = exp2_fast((score[i][j] - now) * kLog2E);
        weights[(place.tx * 4 + j) * kStride + place.ty * 4 + i] = weight;
        sum += weight;
      }
      total[i] = total[i] * factor[i] + warp_sum<16>(sum);
    }
  }

  static MLA_DEVICE void add_values(const Params& p, const Place& place, const unsigned char* page, int count,
                                    const float (&factor)[4], float (&acc)[kChunks][4][4]) {
    float* values = reinterpret_cast<float*>(shared_memory());
    const float* weights = values + kPageTokens * kStride;
    const HeadRun run = run_of(p.problem.cache.row, p.value, place.kv_head);
    const int part = int(threadIdx.x) % 8 * 8;
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      const int column = place.column + chunk * 64;
      if (column >= run.count) break;
      for (int token = int(threadIdx.x) / 8; token < kPageTokens; token += kThreads / 8) {
        float x[8] = {};
        if (token < count) load_eight_or_fewer(p.problem.cache.row, page, token, run, p.value.aligned, column + part, x);
        for (int i = 0; i < 8; ++i) values[token * kStride + part + i] = x[i];
      }
      sync_block();
#pragma unroll
      for (int i = 0; i < 4; ++i)
#pragma unroll
        for (int j = 0; j < 4; ++j) acc[chunk][i][j] *= factor[i];
#pragma unroll 8
      for (int token = 0; token < kPageTokens; ++token) {
        const Floats4 a = four(weights + token * kStride + place.ty * 4), b = four(values + token * kStride + place.tx * 4);
#pragma unroll
        for (int i = 0; i < 4; ++i)
#pragma unroll
          for (int j = 0; j < 4; ++j) acc[chunk][i][j] += a.value[i] * b.value[j];
      }
      sync_block();
    }
  }

  static MLA_DEVICE void write(const Params& p, const Place& place, const float (&total)[4],
                               const float (&acc)[kChunks][4][4]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const QueryRow row = QueryRow::of(p, place.kv_head, place.sequence, place.row + place.ty * 4 + i);
      if (!row.there) continue;
      float* out = p.problem.out + row.query * p.value.count;
#pragma unroll
      for (int chunk = 0; chunk < kChunks; ++chunk)
#pragma unroll
        for (int j = 0; j < 4; ++j) {
          const int column = place.column + chunk * 64 + place.tx * 4 + j;
          if (column < p.value.count) out[column] = acc[chunk][i][j] / total[i];
        }
    }
  }
};

}  // namespace mla::gpu
