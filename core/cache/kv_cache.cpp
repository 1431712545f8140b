#include "core/cache/kv_cache.h"

namespace mla {

std::int64_t KvCache::allocated_bytes() const {
  std::int64_t total = 0;
  for (const auto& block : blocks_) total += std::int64_t(block.bytes());
  return total;
}

int KvCache::grow(int count) {
  const int first = tokens_;
  const std::size_t needed = (std::size_t(tokens_) + count + kBlockTokens - 1) / kBlockTokens;
  while (blocks_.size() < needed) blocks_.emplace_back(std::size_t(kBlockTokens) * row_bytes());
  tokens_ += count;
  return first;
}

void KvCache::clear() {
  blocks_.clear();
  tokens_ = 0;
}

KvCache::Rows KvCache::rows(const Kernels& kernels, int first, int count, int offset, int n, float* scratch) const {
  if (dtype() == CacheDtype::fp32) return {reinterpret_cast<const float*>(row(first)) + offset, row_values()};
  for (int i = 0; i < count; ++i) read(kernels, first + i, offset, scratch + std::ptrdiff_t(i) * n, n);
  return {scratch, n};
}

}  // namespace mla
