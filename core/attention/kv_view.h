#pragma once

#include "core/cache/kv_cache.h"
#include "core/model/weights.h"

namespace mla {

/// Where the keys and values of each key-value head lie in a cache row. A stride of 0 means that all heads share the
/// columns.
struct KvLayout {
  int kv_heads = 1;
  int nope = 0, nope_offset = 0, nope_stride = 0;     ///< NoPE part of the key (absorbed: the whole latent)
  int rope = 0, rope_offset = 0, rope_stride = 0;     ///< RoPE part of the key
  int value = 0, value_offset = 0, value_stride = 0;  ///< value (absorbed: the latent again)
};

/// The up-projections by which keys and values are rebuilt from cached latents at every step. Rows of -1: taken from the
/// cache as they are.
struct Reexpansion {
  int latent = 0;                  ///< columns of the latent, which begins the row
  const Weight* weight = nullptr;  ///< [heads head_rows, latent]
  int key = -1;                    ///< first of the `nope` rows of head 0's keys
  int value = -1;                  ///< first of the `value` rows of head 0's values
  int head_rows = 0;
  const float* bias = nullptr;  ///< [heads, value], or null
  bool any() const { return key >= 0 || value >= 0; }
};

/// Keys and values of one sequence in one layer, as the attention kernel reads them: block by block, as fp32.
struct KvView {
  const KvCache* cache = nullptr;
  KvLayout layout;
  Reexpansion up;

  using Rows = KvCache::Rows;
  /// Key parts of `count` tokens from `first` (within one block) for one key-value head; scratch holds scratch_values()
  /// floats.
  Rows nope(const Kernels& kernels, int head, int first, int count, float* scratch) const;
  Rows rope(const Kernels& kernels, int head, int first, int count, float* scratch) const;
  /// Columns [column, column + n) of the values.
  Rows values(const Kernels& kernels, int head, int first, int count, int column, int n, float* scratch) const;
  std::size_t scratch_values() const;

 private:
  Rows rebuild(const Kernels& kernels, int row, int n, int first, int count, float* scratch) const;
};

}  // namespace mla
