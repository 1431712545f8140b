#pragma once

#include <cstddef>
#include <memory>

namespace mla {

/// Memory of one block of a cache, aligned to a cache line. Blocks of one size lie side by side, those of all caches: in
/// huge pages where the system has them, which a block alone would not fill. Safe from several threads. What nobody touches
/// takes no memory beyond the huge page that the last block ends in, and blocks given back are handed out again.
class BlockMemory {
 public:
  /// Throws std::bad_alloc.
  explicit BlockMemory(std::size_t bytes);
  ~BlockMemory();
  BlockMemory(BlockMemory&& other) noexcept = default;
  BlockMemory& operator=(BlockMemory&&) = delete;

  std::byte* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  struct Region;
  struct Regions;
  static Regions& all();

  std::size_t bytes_;
  std::shared_ptr<Region> region_;  // gone with the last of its blocks
  std::byte* data_;
};

}  // namespace mla
