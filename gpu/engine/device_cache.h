#pragma once

#include <vector>

#include "core/spec/cache_row.h"
#include "gpu/ops/attention.h"

namespace mla::gpu {

/// The KV cache of all layers and sequences in device memory: pages of 64 tokens, allocated as they are needed and never
/// copied. The table of their addresses has room for the whole context from the start, so that captured graphs stay valid.
class DeviceCache {
 public:
  struct Shape {
    std::vector<RowSegment> row;
    CacheDtype dtype = CacheDtype::fp32;
    PageLayout page = PageLayout::rows;
    int layers = 1, batch = 1, context = 1;
  };
  explicit DeviceCache(const Shape& shape);

  int tokens() const { return tokens_; }
  const RowLayout& row() const { return row_; }
  /// Bytes of the rows held, all layers and sequences.
  std::int64_t bytes() const { return std::int64_t(tokens_) * rows_of_token() * row_.bytes; }
  /// Bytes of the pages allocated for them.
  std::int64_t allocated_bytes() const { return std::int64_t(pages_.size()) * page_bytes(); }
  /// Makes room for `count` more tokens, uninitialised. Throws Failure.
  void grow(Stream& stream, int count);
  /// Forgets all tokens and frees their pages.
  void clear();
  CacheView view(int layer) const;

 private:
  std::int64_t rows_of_token() const { return std::int64_t(shape_.layers) * shape_.batch; }
  std::int64_t sequence_bytes() const { return std::int64_t(kPageTokens) * row_.bytes; }
  std::int64_t page_bytes() const { return rows_of_token() * sequence_bytes(); }

  Shape shape_;
  RowLayout row_;
  int tokens_ = 0;
  std::vector<Memory> pages_;
  Array<const std::byte*> table_;  // [pages of the context]
};

}  // namespace mla::gpu
