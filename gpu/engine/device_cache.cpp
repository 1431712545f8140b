#include "gpu/engine/device_cache.h"

namespace mla::gpu {

DeviceCache::DeviceCache(const Shape& shape) : shape_(shape), row_(row_layout(shape.row, shape.dtype, shape.page)) {}

void DeviceCache::grow(Stream& stream, int count) {
  if (table_.size() == 0) table_ = Array<const std::byte*>(std::size_t(shape_.context + kPageTokens - 1) / kPageTokens);
  const std::size_t needed = (std::size_t(tokens_) + std::size_t(count) + kPageTokens - 1) / kPageTokens;
  while (pages_.size() < needed) {
    Memory page{std::size_t(page_bytes())};
    const std::byte* const address = page.data();
    stream.to_device(table_.data() + pages_.size(), &address, sizeof address);
    stream.synchronize();  // before `address` goes
    pages_.push_back(std::move(page));
  }
  tokens_ += count;
}

void DeviceCache::clear() {
  pages_.clear();
  tokens_ = 0;
}

CacheView DeviceCache::view(int layer) const {
  return {row_, table_.data(), layer * shape_.batch * sequence_bytes(), sequence_bytes()};
}

}  // namespace mla::gpu
