#pragma once

// What follows the kernels of a split attention.

#include "gpu/kernels/reduce.cuh"
#include "gpu/kernels/split_attention.cuh"

namespace mla::gpu {

/// The totals of a row's splits together; the same for all threads. Scratch [kThreads / 32] in shared memory.
template <int kThreads>
MLA_DEVICE SplitTotal merged_total(const SplitAttention& a, std::int64_t row, float* scratch) {
  float top = kLowest, total = 0;
  for (int s = 0; s < a.splits; ++s) {
    const float other = a.totals[s * a.rows + row].top;
    top = other > top ? other : top;
  }
  for (int s = int(threadIdx.x); s < a.splits; s += kThreads) {
    const SplitTotal split = a.totals[s * a.rows + row];
    total += split.total * exp2f((split.top - top) * kLog2E);
  }
  return {top, block_sum<kThreads>(total, scratch)};
}

/// out = the splits' sums, each weighted by its share of the total, in their order. Grid: rows, then columns by kThreads.
struct CombineSplits {
  static constexpr const char* kName = "combine_splits";
  static constexpr int kThreads = 128, kBlocks = 8;

  struct Params {
    SplitAttention split;
  };
  static std::size_t shared_bytes(int splits) { return sizeof(float) * std::size_t(splits + kThreads / 32); }

  static MLA_DEVICE void run(const Params& p) {
    const SplitAttention& a = p.split;
    float* shares = reinterpret_cast<float*>(shared_memory());
    const std::int64_t row = blockIdx.x;
    const SplitTotal all = merged_total<kThreads>(a, row, shares + a.splits);
    for (int s = int(threadIdx.x); s < a.splits; s += kThreads) {
      const SplitTotal split = a.totals[s * a.rows + row];
      shares[s] = split.total * exp2f((split.top - all.top) * kLog2E) / all.total;
    }
    sync_block();
    const int value = a.problem.layout.value, column = int(blockIdx.y) * kThreads + int(threadIdx.x);
    if (column >= value) return;
    const int used = splits_used(a, int(row / (std::int64_t(a.problem.batch) * a.problem.heads)));
    float sum = 0;
#pragma unroll 8
    for (int s = 0; s < used; ++s) sum += shares[s] * a.sums[(s * a.rows + row) * value + column];
    a.problem.out[row * value + column] = sum;
  }
};

/// The scores that the trace of sequence 0 holds become weights. Grid: position · heads + head, then keys by kThreads.
struct TraceWeights {
  static constexpr const char* kName = "trace_weights";
  static constexpr int kThreads = 256, kBlocks = 4;
  static constexpr std::size_t kShared = kThreads / 32 * sizeof(float);

  struct Params {
    SplitAttention split;
  };

  static MLA_DEVICE void run(const Params& p) {
    const SplitAttention& a = p.split;
    const int position = int(blockIdx.x) / a.problem.heads, head = int(blockIdx.x) % a.problem.heads;
    const std::int64_t row = std::int64_t(position) * a.problem.batch * a.problem.heads + head;
    const SplitTotal all = merged_total<kThreads>(a, row, reinterpret_cast<float*>(shared_memory()));
    const int key = int(blockIdx.y) * kThreads + int(threadIdx.x);
    if (key > *a.problem.first + position) return;
    float* weight = a.problem.trace.weights + blockIdx.x * a.problem.trace.stride + key;
    *weight = exp2f((*weight - all.top) * kLog2E) / all.total;
  }
};

}  // namespace mla::gpu
