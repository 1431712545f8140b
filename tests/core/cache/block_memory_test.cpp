#include "core/cache/block_memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace mla {
namespace {

bool aligned(const BlockMemory& block) { return reinterpret_cast<std::uintptr_t>(block.data()) % 64 == 0; }

TEST(BlockMemory, BlocksOfManySizesStayApartAndComeBack) {
  for (int round = 0; round < 3; ++round) {
    std::vector<BlockMemory> blocks;
    for (int i = 0; i < 300; ++i) {
      const std::size_t sizes[] = {100, 147456, 3 << 20};
      BlockMemory& block = blocks.emplace_back(sizes[i % (i < 30 ? 3 : 2)]);
      EXPECT_TRUE(aligned(block));
      std::memset(block.data(), i % 251, block.bytes());
    }
    for (int i = 1; i < 300; i += 2) {  // given back and taken again, between others that stay
      const std::size_t bytes = blocks[i].bytes();
      BlockMemory gone = std::move(blocks[i]);
      std::destroy_at(&blocks[i]);
      new (&blocks[i]) BlockMemory(bytes);
      std::memset(blocks[i].data(), i % 251, bytes);
    }
    for (int i = 0; i < 300; ++i) {
      EXPECT_EQ(blocks[i].data()[0], std::byte(i % 251));
      EXPECT_EQ(blocks[i].data()[blocks[i].bytes() - 1], std::byte(i % 251));
    }
  }
}

TEST(BlockMemory, ThreadsTakeAndGiveBackAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int round = 0; round < 50; ++round) {
        std::vector<BlockMemory> blocks;
        for (int i = 0; i < 20; ++i) {
          blocks.emplace_back(5000);
          std::memset(blocks.back().data(), 20 * t + i, 5000);
        }
        for (int i = 0; i < 20; ++i) EXPECT_EQ(blocks[i].data()[4999], std::byte(20 * t + i));
      }
    });
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace mla
