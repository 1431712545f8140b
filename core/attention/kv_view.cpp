#include "core/attention/kv_view.h"

#include <algorithm>

namespace mla {

KvView::Rows KvView::nope(const Kernels& kernels, int head, int first, int count, float* scratch) const {
  if (!up.key)
    return cache->rows(kernels, first, count, layout.nope_offset + head * layout.nope_stride, layout.nope, scratch);
  float* rebuilt = scratch + std::ptrdiff_t(KvCache::kBlockTokens) * up.latent;
  const Rows latents = cache->rows(kernels, first, count, 0, up.latent, scratch);
  kernels.gemm_nt(count, layout.nope, up.latent, latents.data, latents.stride, up.key + head * up.head_stride, up.latent,
                  rebuilt, layout.nope);
  return {rebuilt, layout.nope};
}

KvView::Rows KvView::rope(const Kernels& kernels, int head, int first, int count, float* scratch) const {
  return cache->rows(kernels, first, count, layout.rope_offset + head * layout.rope_stride, layout.rope, scratch);
}

KvView::Rows KvView::values(const Kernels& kernels, int head, int first, int count, int column, int n,
                            float* scratch) const {
  if (!up.value)
    return cache->rows(kernels, first, count, layout.value_offset + head * layout.value_stride + column, n, scratch);
  float* rebuilt = scratch + std::ptrdiff_t(KvCache::kBlockTokens) * up.latent;
  const Rows latents = cache->rows(kernels, first, count, 0, up.latent, scratch);
  kernels.gemm_nt(count, n, up.latent, latents.data, latents.stride,
                  up.value + head * up.head_stride + std::ptrdiff_t(column) * up.latent, up.latent, rebuilt, n);
  if (up.bias)
    for (int i = 0; i < count; ++i)
      for (int j = 0; j < n; ++j) rebuilt[std::ptrdiff_t(i) * n + j] += up.bias[head * layout.value + column + j];
  return {rebuilt, n};
}

std::size_t KvView::scratch_values() const {
  return std::size_t(KvCache::kBlockTokens) * (up.latent + std::max({layout.nope, layout.rope, layout.value}));
}

}  // namespace mla
