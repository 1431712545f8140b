#pragma once

// Rows of expanded keys and values from what the up-projection made.

#include "gpu/kernels/platform.cuh"
#include "gpu/ops/rows.h"

namespace mla::gpu {

struct ExpandRows {
  static constexpr const char* kName = "expand_rows";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  using Params = RowExpansion;
  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t row = blockIdx.x;
    const int key = p.nope + p.rope, head_rows = p.nope + p.value, keys = p.latent_keys ? p.latent : p.heads * key;
    const float* up = p.up + row * p.heads * head_rows;
    const float* compressed = p.compressed.data + row * p.compressed.stride;
    float* out = p.out.data + row * p.out.stride;
    for (int i = int(threadIdx.x); i < keys + p.heads * p.value; i += kThreads) {
      if (i >= keys) {
        out[i] = up[(i - keys) / p.value * head_rows + p.nope + (i - keys) % p.value];
      } else if (p.latent_keys) {
        out[i] = compressed[i];
      } else {
        const int inside = i % key;
        out[i] = inside < p.nope ? up[i / key * head_rows + inside] : compressed[p.latent + inside - p.nope];
      }
    }
  }
};

}  // namespace mla::gpu
