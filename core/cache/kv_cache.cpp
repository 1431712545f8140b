#include "core/cache/kv_cache.h"

#include <cstring>

namespace mla {
namespace {

void widen(const Kernels& kernels, CacheDtype dtype, const std::byte* in, float* out, int n) {
  switch (dtype) {
    case CacheDtype::fp32:
      std::memcpy(out, in, std::size_t(n) * 4);
      return;
    case CacheDtype::fp16:
      kernels.fp16_to_fp32(reinterpret_cast<const std::uint16_t*>(in), out, n);
      return;
    case CacheDtype::bf16:
      kernels.bf16_to_fp32(reinterpret_cast<const std::uint16_t*>(in), out, n);
      return;
  }
}

}  // namespace

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

void KvCache::store(const Kernels& kernels, int token, int offset, const float* values, int n) {
  std::byte* out = row(token) + std::ptrdiff_t(offset) * bytes_of(dtype_);
  switch (dtype_) {
    case CacheDtype::fp32:
      std::memcpy(out, values, std::size_t(n) * 4);
      return;
    case CacheDtype::fp16:
      kernels.fp32_to_fp16(values, reinterpret_cast<std::uint16_t*>(out), n);
      return;
    case CacheDtype::bf16:
      kernels.fp32_to_bf16(values, reinterpret_cast<std::uint16_t*>(out), n);
      return;
  }
}

void KvCache::read(const Kernels& kernels, int token, int offset, float* out, int n) const {
  widen(kernels, dtype_, row(token) + std::ptrdiff_t(offset) * bytes_of(dtype_), out, n);
}

void KvCache::clear() {
  blocks_.clear();
  tokens_ = 0;
}

KvCache::Rows KvCache::rows(const Kernels& kernels, int first, int count, int offset, int n, float* scratch) const {
  if (dtype_ == CacheDtype::fp32) return {reinterpret_cast<const float*>(row(first)) + offset, row_values_};
  for (int i = 0; i < count; ++i) read(kernels, first + i, offset, scratch + std::ptrdiff_t(i) * n, n);
  return {scratch, n};
}

}  // namespace mla
