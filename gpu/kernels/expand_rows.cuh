#pragma once

// Rows of expanded keys and values from what the up-projection made.

#include "gpu/kernels/platform.cuh"

namespace mla::gpu {

struct ExpandRows {
  static constexpr const char* kName = "expand_rows";
  static constexpr int kThreads = 128;
  static constexpr int kBlocks = 1;
  struct Params {
    const float* up;          // [rows, heads, nope + value]
    const float* compressed;  // [rows, latent + rope]
    float* out;               // [rows, keys | heads value]
    std::int64_t compressed_stride, out_stride;
    int heads, nope, rope, value, latent;
    bool latent_keys;
  };
  /// Blocks: rows.
  static MLA_DEVICE void run(const Params& p) {
    const std::int64_t row = blockIdx.x;
    const int key = p.nope + p.rope, head_rows = p.nope + p.value, keys = p.latent_keys ? p.latent : p.heads * key;
    const float* up = p.up + row * p.heads * head_rows;
    const float* compressed = p.compressed + row * p.compressed_stride;
    float* out = p.out + row * p.out_stride;
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
