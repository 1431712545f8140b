#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tests/gpu/shim/barrier.h"

namespace mla::gpu::shim {

/// A barrier in shared memory: a phase ends when all have arrived and all bytes announced have come.
struct MemoryBarrier {
  int expected = 0, to_come = 0;
  std::int64_t bytes = 0;  ///< announced, less those that came
  std::uint64_t phase = 0;
  std::vector<PendingCopy> copies;  ///< begun; their bytes come when somebody waits for the phase
  Order order{};
};

inline constexpr int kWarpgroupLanes = 128;

/// A product that a warpgroup has begun: of 64 rows, `columns` columns and 16 products each.
struct Product {
  int columns = 0;
  std::uint64_t a = 0, b = 0;
  bool b_across = false;                       ///< b is MN-major
  bool add = false;                            ///< to what the accumulators hold
  std::array<float*, kWarpgroupLanes> sums{};  ///< each lane's accumulators
  std::vector<std::uint16_t> a_seen, b_seen;   ///< the operands when it began
};

/// What the 128 lanes of a warpgroup share.
struct Warpgroup {
  Barrier barrier;
  std::array<Product, kWarpgroupLanes> asked;  ///< what each lane asked for; they have to ask for the same
  std::vector<Product> begun, committed;
};

}  // namespace mla::gpu::shim
