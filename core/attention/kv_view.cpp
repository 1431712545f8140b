#include "core/attention/kv_view.h"

#include <algorithm>

namespace mla {

KvView::Rows KvView::nope(const Kernels& kernels, int head, int first, int count, float* scratch) const {
  if (up.key < 0)
    return cache->rows(kernels, first, count, layout.nope_offset + head * layout.nope_stride, layout.nope, scratch);
  return rebuild(kernels, up.key + head * up.head_rows, layout.nope, first, count, scratch);
}

KvView::Rows KvView::rope(const Kernels& kernels, int head, int first, int count, float* scratch) const {
  return cache->rows(kernels, first, count, layout.rope_offset + head * layout.rope_stride, layout.rope, scratch);
}

KvView::Rows KvView::values(const Kernels& kernels, int head, int first, int count, int column, int n,
                            float* scratch) const {
  if (up.value < 0)
    return cache->rows(kernels, first, count, layout.value_offset + head * layout.value_stride + column, n, scratch);
  const Rows rebuilt = rebuild(kernels, up.value + head * up.head_rows + column, n, first, count, scratch);
  float* values = scratch + std::ptrdiff_t(KvCache::kBlockTokens) * up.latent;
  if (up.bias)
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < n; ++j) values[std::ptrdiff_t(i) * n + j] += up.bias[head * layout.value + column + j];
  return rebuilt;
}

/// Latents times `n` rows of the up-projection. The scratch holds latents, then what is rebuilt, then such rows as fp32.
KvView::Rows KvView::rebuild(const Kernels& kernels, int row, int n, int first, int count, float* scratch) const {
  constexpr int few = 16;
  const Rows latents = cache->rows(kernels, first, count, 0, up.latent, scratch);
  float* rebuilt = scratch + std::ptrdiff_t(KvCache::kBlockTokens) * up.latent;
  float* wide = rebuilt + std::ptrdiff_t(KvCache::kBlockTokens) * std::max(layout.nope, layout.value);
  const int step = up.weight->narrow ? few : n;
  for (int i = 0; i < n; i += step) {
    const int some = std::min(step, n - i);
    kernels.gemm_nt(count, some, up.latent, latents.data, latents.stride, up.weight->read(kernels, row + i, some, wide),
                    up.latent, rebuilt + i, n);
  }
  return {rebuilt, n};
}

std::size_t KvView::scratch_values() const {
  constexpr int few = 16;
  const bool narrow = up.any() && up.weight->narrow;
  return std::size_t(KvCache::kBlockTokens) * (up.latent + std::max({layout.nope, layout.rope, layout.value})) +
         (narrow ? std::size_t(few) * up.latent : 0);
}

}  // namespace mla
