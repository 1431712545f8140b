#pragma once

// The products of experts: visit by visit, or many visits to an expert in tiles; and the sum of what they made.

#include "gpu/kernels/matvec.cuh"
#include "gpu/kernels/product_tile.cuh"
#include "gpu/ops/experts.h"

namespace mla::gpu {

/// Visits by expert. One block: a thread counts its experts' visits, then puts them where they belong.
struct SortVisits {
  static constexpr const char* kName = "sort_visits";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 1;
  static constexpr std::size_t kShared = 3 * kThreads * sizeof(int);

  struct Params {
    const int* expert;  // [visits]
    int* order;
    VisitTile* tiles;
    int* touched;
    int visits, experts, most_tiles;
  };

  static MLA_DEVICE void run(const Params& p) {
    int* const counts = reinterpret_cast<int*>(shared_memory());  // visits, tiles and touched experts of each thread's
    const int thread = int(threadIdx.x), share = (p.experts + kThreads - 1) / kThreads;
    const int from = thread * share, to = from + share < p.experts ? from + share : p.experts;
    int own[3] = {0, 0, 0};
    for (int e = from; e < to; ++e) {
      const int visits = count(p, e);
      own[0] += visits;
      own[1] += (visits + kVisitTile - 1) / kVisitTile;
      own[2] += visits > 0;
    }
    for (int i = 0; i < 3; ++i) counts[i * kThreads + thread] = own[i];
    sync_block();
    int before[3] = {0, 0, 0}, all[3] = {0, 0, 0};
#pragma unroll 4
    for (int t = 0; t < kThreads; ++t)
      for (int i = 0; i < 3; ++i) {
        if (t < thread) before[i] += counts[i * kThreads + t];
        all[i] += counts[i * kThreads + t];
      }
    for (int e = from; e < to; ++e) place(p, e, before[0], before[1]);
    for (int t = all[1] + thread; t < p.most_tiles; t += kThreads) p.tiles[t] = {0, 0, 0};
    if (thread == 0) *p.touched = all[2];
  }

  static MLA_DEVICE int count(const Params& p, int e) {
    int visits = 0;
    for (int v = 0; v < p.visits; ++v) visits += p.expert[v] == e;
    return visits;
  }

  /// Puts an expert's visits from place `at` on, its tiles from `tile` on.
  static MLA_DEVICE void place(const Params& p, int e, int& at, int& tile) {
    const int first = at;
    for (int v = 0; v < p.visits; ++v)
      if (p.expert[v] == e) p.order[at++] = v;
    for (int t = first; t < at; t += kVisitTile) p.tiles[tile++] = {e, t, at - t < kVisitTile ? at - t : kVisitTile};
  }
};

template <WeightType kType>
struct ExpertMatVec {
  static constexpr const char* kName = "expert_matvec";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 2;
  static constexpr int kBlockRows = kThreads / 32;

  using Params = ExpertProduct;

  /// Blocks: rows of weights, visits.
  static MLA_DEVICE void run(const Params& p) {
    const int visit = int(blockIdx.y), at = int(blockIdx.x) * kBlockRows + int(threadIdx.x) / 32;
    const int rows = p.shape.rows;
    const float* x = p.x.data + visit / p.share * p.x.stride;
    float acc[1][1];
    dot_rows<kType, 1, 1>(p.experts[p.expert[visit]], at < rows ? at : rows - 1, rows - 1, x, 0, 1,
                          is_whole(x, 0, p.shape.cols), acc);
    if (threadIdx.x % 32 == 0 && at < rows) p.y.data[visit * p.y.stride + at] = acc[0][0];
  }
};

template <WeightType kType>
struct ExpertTiles {
  using Tile = ProductTile<kType>;
  static_assert(Tile::kSide == kVisitTile);
  static constexpr const char* kName = "expert_tiles";
  static constexpr int kThreads = Tile::kThreads;
  static constexpr int kBlocks = 2;

  struct Params {
    ExpertProduct product;
    VisitOrder visits;
  };

  /// Blocks: tiles of weight rows, tiles of visits.
  static MLA_DEVICE void run(const Params& params) {
    const ExpertProduct& p = params.product;
    const VisitTile visits = params.visits.tiles[blockIdx.y];
    if (visits.count == 0) return;  // all threads of the block alike
    const int* order = params.visits.order + visits.first;
    const Matrix matrix = p.experts[visits.expert];
    const int n0 = int(blockIdx.x) * Tile::kSide, row = int(threadIdx.x) / 4;
    const float* x = row < visits.count ? p.x.data + order[row] / p.share * p.x.stride : nullptr;
    Tile tile;
    tile.multiply(matrix, n0 + row < matrix.rows ? n0 + row : -1, x);
    const int up = int(threadIdx.x) / 16 * 4, across = int(threadIdx.x) % 16 * 4;
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 4; ++j)
        if (up + i < visits.count && n0 + across + j < matrix.rows)
          p.y.data[order[up + i] * p.y.stride + n0 + across + j] = tile.sum[i][j];
  }
};

struct SumExperts {
  static constexpr const char* kName = "sum_experts";
  static constexpr int kThreads = 256;
  static constexpr int kBlocks = 1;
  using Params = ExpertSum;
  /// Blocks: rows, of which there may be more than 65,535; columns.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t row = blockIdx.x;
    const int j = int(blockIdx.y) * kThreads + int(threadIdx.x);
    if (j >= p.width) return;
    float sum = 0;
    for (int i = 0; i < p.top_k; ++i) sum += p.weight[row * p.top_k + i] * p.made[(row * p.top_k + i) * p.width + j];
    p.out[row * p.width + j] = p.shared ? sum + p.shared[row * p.width + j] : sum;
  }
};

}  // namespace mla::gpu
