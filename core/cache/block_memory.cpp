#include "core/cache/block_memory.h"

#include <mutex>
#include <vector>

#include "core/tensor/buffer.h"

namespace mla {
namespace {

/// Of address space. Blocks that hardly fit so often have a region each.
constexpr std::size_t kRegionBytes = std::size_t(16) << 20;
constexpr std::size_t kFewest = 8;  // blocks of a region

constexpr std::size_t whole_lines(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

std::size_t region_blocks(std::size_t block) {
#if defined(__SANITIZE_ADDRESS__)
  return 1;  // who leaves a block shall be noticed
#endif
  const std::size_t blocks = kRegionBytes / block;
  return blocks < kFewest ? 1 : blocks;
}

}  // namespace

/// Blocks of one size: those handed out once lie at the front.
struct BlockMemory::Region {
  explicit Region(std::size_t its_block) : block(its_block), blocks(region_blocks(its_block)), memory(block * blocks) {
    returned.reserve(blocks);  // so that giving one back needs no memory
  }

  bool full() const { return returned.empty() && begun == blocks; }
  std::byte* take() {
    if (returned.empty()) return memory.data() + block * begun++;
    std::byte* const last = returned.back();
    returned.pop_back();
    return last;
  }

  const std::size_t block, blocks;
  std::size_t begun = 0;
  std::vector<std::byte*> returned;
  Buffer<std::byte> memory;
};

struct BlockMemory::Regions {
  /// One with room for a block of that size, the newest first.
  std::shared_ptr<Region> with_room(std::size_t block) {
    std::erase_if(list, [](const auto& each) { return each.expired(); });
    for (auto each = list.rbegin(); each != list.rend(); ++each)
      if (std::shared_ptr<Region> region = each->lock(); region && region->block == block && !region->full()) return region;
    auto region = std::make_shared<Region>(block);
    list.push_back(region);
    return region;
  }

  std::mutex mutex;
  std::vector<std::weak_ptr<Region>> list;
};

BlockMemory::Regions& BlockMemory::all() {
  static Regions& regions = *new Regions;  // caches may outlive every other static object
  return regions;
}

BlockMemory::BlockMemory(std::size_t bytes) : bytes_(bytes) {
  Regions& regions = all();
  const std::lock_guard lock(regions.mutex);
  region_ = regions.with_room(whole_lines(bytes));
  data_ = region_->take();
}

BlockMemory::~BlockMemory() {
  if (!region_) return;  // moved from
  const std::lock_guard lock(all().mutex);
  region_->returned.push_back(data_);
  region_.reset();
}

}  // namespace mla
