// What a CpuExecutor has cached: how it begins, is filled without computing, and is read.
#include <algorithm>
#include <new>

#include "core/engine/cpu_executor.h"
#include "core/engine/decoder.h"

namespace mla {

void CpuExecutor::drop_cache() {
  // Nothing of an uncached pass outlives it, so its rows need no rounding.
  const RowFormat format(cache_row(experiment_.spec, uncached() ? AttentionPath::expanded : experiment_.path),
                         uncached() ? CacheDtype::fp32 : experiment_.cache_dtype);
  caches_.clear();
  caches_.resize(experiment_.layers);
  for (auto& layer : caches_)
    for (int b = 0; b < batch(); ++b) layer.emplace_back(format);
  latents_.assign(experiment_.layers, {});
}

void CpuExecutor::reset() {
  drop_cache();
  inputs_.clear();
  positions_ = 0;
}

Status CpuExecutor::fill_synthetic(int count, std::uint64_t seed) {
  if (keep_latents_ && experiment_.spec.attention.is_mla() && latents_lost())
    return Error{"prefill " + std::to_string(count) + ": synthetic rows of the " + std::string(name_of(experiment_.path)) +
                 " path have no latents to keep"};
  try {
    if (uncached()) {  // there is no cache to fill, so the inputs are synthetic
      append_synthetic_inputs(count, seed);
    } else {
      for (int l = 0; l < experiment_.layers; ++l)
        for (int b = 0; b < batch(); ++b) fill_cache(caches_[l][b], count, seed + 1 + l, b);
    }
  } catch (const std::bad_alloc&) {
    reset();
    return Error{"prefill " + std::to_string(count) + ": out of memory"};
  }
  positions_ += count;
  return {};
}

void CpuExecutor::append_synthetic_inputs(int count, std::uint64_t seed) {
  std::vector<float> x(experiment_.spec.attention.hidden_size);
  for (int p = positions_; p < positions_ + count; ++p)
    for (int b = 0; b < batch(); ++b) {
      synthetic_input(seed, p, b, x);
      inputs_.insert(inputs_.end(), x.begin(), x.end());
    }
}

void CpuExecutor::fill_cache(KvCache& cache, int count, std::uint64_t seed, int sequence) {
  std::vector<float> row(cache.row_values());
  const int first = cache.grow(count);
  for (int t = first; t < first + count; ++t) {
    synthetic_input(seed, t, sequence, row);
    cache.store(compute_.kernels, t, 0, row.data(), cache.row_values());
  }
}

std::vector<float> CpuExecutor::rows_of(const KvCache& cache) const {
  std::vector<float> out(std::size_t(cache.tokens()) * cache.row_values());
  for (int t = 0; t < cache.tokens(); ++t)
    cache.read(compute_.kernels, t, 0, out.data() + std::size_t(t) * cache.row_values(), cache.row_values());
  return out;
}

std::vector<float> CpuExecutor::cache_rows(int layer) const {
  const bool aside = uncached() || (experiment_.spec.attention.is_mla() && latents_lost());
  return aside ? latents_[layer] : rows_of(caches_[layer].front());
}

}  // namespace mla
