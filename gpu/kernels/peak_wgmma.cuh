#pragma once

#include "gpu/kernels/hopper.cuh"
#include "gpu/ops/peak.h"

namespace mla::gpu {

/// Products of bf16 with fp32 sums by warpgroups, and nothing else, from tiles in shared memory that never change: two
/// groups, as latent_decode_wgmma has them.
struct WarpgroupLoop {
  static constexpr const char* kName = "warpgroup_loop";
  static constexpr int kThreads = 2 * kWarpgroup, kBlocks = 1;
  static constexpr int kSums = 128, kColumns = 256, kSteps = 16;
  static constexpr int kTileSteps = 64 / kProductDepth, kTiles = 1 + kColumns / 64;  // one of rows, the others of columns
  static constexpr std::int64_t kOperations = 2ll * 64 * kColumns * kProductDepth * (kThreads / kWarpgroup) * kSteps;
  static constexpr std::size_t kShared = std::size_t(kTiles) * kTileBytes;
  using Params = PeakParams;

  static MLA_DEVICE void run(const Params& p) {
    if constexpr (kWarpgroupProducts) {
      multiply(p);
    } else {
      not_for_this_device();
    }
  }

  static MLA_DEVICE void multiply(const Params& p) {
    unsigned char* const rows = shared_memory();
    for (int at = int(threadIdx.x) * 4; at < kTiles * kTileBytes; at += kThreads * 4)
      *reinterpret_cast<std::uint32_t*>(rows + at) = at < kTileBytes ? bf16_pair(p.x, p.x) : bf16_pair(1, 1);
    publish_shared();
    sync_block();
    const std::uint64_t a = rows_operand(rows), b = columns_operand(rows + kTileBytes);
    float sums[kSums];
#pragma unroll
    for (int i = 0; i < kSums; ++i) sums[i] = 0;
    for (int round = 0; round < p.rounds; ++round) {
      products_begin(sums);
#pragma unroll
      for (int step = 0; step < kSteps; ++step)
        product_of_columns(sums, later(a, step % kTileSteps * kRowsStep), later(b, step % kTileSteps * kColumnsStep));
      products_commit();
      products_wait(sums);
    }
    float total = 0;
#pragma unroll
    for (int i = 0; i < kSums; ++i) total += sums[i];
    p.sums[blockIdx.x * kThreads + threadIdx.x] = total;
  }
};

}  // namespace mla::gpu
