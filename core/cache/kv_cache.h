#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cache/block_memory.h"
#include "core/cache/row_format.h"
#include "core/tensor/kernels.h"

namespace mla {

/// The rows that one sequence keeps in one layer, in blocks that are allocated as they are needed and never copied.
class KvCache {
 public:
  static constexpr int kBlockTokens = 64;

  explicit KvCache(RowFormat format) : format_(std::move(format)) {}
  /// Rows of one segment.
  KvCache(int row_values, CacheDtype dtype) : KvCache(RowFormat({{row_values}}, dtype)) {}

  int tokens() const { return tokens_; }
  int row_values() const { return format_.values(); }
  CacheDtype dtype() const { return format_.dtype(); }
  const RowFormat& format() const { return format_; }
  /// Bytes of the rows held.
  std::int64_t bytes() const { return std::int64_t(tokens_) * row_bytes(); }
  /// Bytes of the blocks allocated for them.
  std::int64_t allocated_bytes() const;
  std::int64_t row_bytes() const { return format_.bytes(); }

  /// Makes room for `count` more rows, uninitialised, and returns the position of the first. Throws std::bad_alloc.
  int grow(int count);
  /// Stores `n` values into a row from column `offset`, rounded to the cache's type; where that has scales, whole units.
  void store(const Kernels& kernels, int token, int offset, const float* values, int n) {
    format_.encode(kernels, offset, values, n, row(token));
  }
  /// Values [n] of a row from column `offset`, as fp32.
  void read(const Kernels& kernels, int token, int offset, float* out, int n) const {
    format_.decode(kernels, row(token), offset, out, n);
  }
  void clear();

  /// Columns [offset, offset + n) of the `count` tokens from `first`, which lie in one block: a pointer to fp32 rows and
  /// their distance. Points into the cache where it is fp32, otherwise into `scratch` [count, n], which is filled.
  struct Rows {
    const float* data;
    std::ptrdiff_t stride;
  };
  Rows rows(const Kernels& kernels, int first, int count, int offset, int n, float* scratch) const;
  /// A row's bytes. Rows of a block lie row_bytes() apart.
  const std::byte* row(int token) const { return blocks_[token / kBlockTokens].data() + token % kBlockTokens * row_bytes(); }
  /// The elements of a row from column `offset`, where they have no scales. Rows of a block lie row_values() apart.
  const std::byte* elements(int token, int offset) const {
    return row(token) + std::ptrdiff_t(offset) * (dtype() == CacheDtype::fp32 ? 4 : 2);
  }
  Element element() const { return Element(int(dtype())); }

 private:
  std::byte* row(int token) { return blocks_[token / kBlockTokens].data() + token % kBlockTokens * row_bytes(); }

  RowFormat format_;
  int tokens_ = 0;
  std::vector<BlockMemory> blocks_;
};

}  // namespace mla
