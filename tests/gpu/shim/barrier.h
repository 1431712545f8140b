#pragma once

#include <cstdint>

#include "tests/gpu/shim/order.h"

namespace mla::gpu::shim {

/// A place where so many threads of a block wait for each other.
struct Barrier {
  int expected = 0;
  int arrived = 0;
  int published = 0;  ///< of those who arrived, how many had published what they wrote
  std::uint64_t generation = 0;
  Order order{};
};

/// An asynchronous copy whose bytes are not there before somebody waits for them.
struct PendingCopy {
  void* to;
  const void* from;
  int bytes;       // of `from`; the rest is zeros
  int full_bytes;  // of `to`
};

}  // namespace mla::gpu::shim
