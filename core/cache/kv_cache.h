#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/spec/model_spec.h"
#include "core/tensor/buffer.h"
#include "core/tensor/kernels.h"

namespace mla {

/// The rows that one sequence keeps in one layer: [tokens, row_values] of the cache's element type, in blocks that are
/// allocated as they are needed and never copied.
class KvCache {
 public:
  static constexpr int kBlockTokens = 64;

  KvCache(int row_values, CacheDtype dtype) : row_values_(row_values), dtype_(dtype) {}

  int tokens() const { return tokens_; }
  int row_values() const { return row_values_; }
  CacheDtype dtype() const { return dtype_; }
  /// Bytes of the rows held.
  std::int64_t bytes() const { return std::int64_t(tokens_) * row_bytes(); }
  /// Bytes of the blocks allocated for them.
  std::int64_t allocated_bytes() const;
  std::int64_t row_bytes() const { return std::int64_t(row_values_) * bytes_of(dtype_); }

  /// Makes room for `count` more rows, uninitialised, and returns the position of the first. Throws std::bad_alloc.
  int grow(int count);
  /// Stores `n` values into a row from column `offset`, rounded to the cache's type.
  void store(const Kernels& kernels, int token, int offset, const float* values, int n);
  /// Values [n] of a row from column `offset`, as fp32.
  void read(const Kernels& kernels, int token, int offset, float* out, int n) const;
  void clear();

  /// Columns [offset, offset + n) of the `count` tokens from `first`, which lie in one block: a pointer to fp32 rows and
  /// their distance. Points into the cache where it is fp32, otherwise into `scratch` [count, n], which is filled.
  struct Rows {
    const float* data;
    std::ptrdiff_t stride;
  };
  Rows rows(const Kernels& kernels, int first, int count, int offset, int n, float* scratch) const;
  /// The elements themselves: a row from column `offset`. Rows of a block lie row_values() apart.
  const std::byte* elements(int token, int offset) const { return row(token) + std::ptrdiff_t(offset) * bytes_of(dtype_); }
  Element element() const { return Element(int(dtype_)); }

 private:
  std::byte* row(int token) { return blocks_[token / kBlockTokens].data() + token % kBlockTokens * row_bytes(); }
  const std::byte* row(int token) const { return blocks_[token / kBlockTokens].data() + token % kBlockTokens * row_bytes(); }

  int row_values_;
  CacheDtype dtype_;
  int tokens_ = 0;
  std::vector<Buffer<std::byte>> blocks_;
};

}  // namespace mla
