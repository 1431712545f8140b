#pragma once

// What gpu/kernels/hopper.cuh needs, on the processor: what the instructions do, and what goes wrong where they are misused.
//
// - The bytes of a bulk copy come when somebody waits for its barrier; until then NaN lies there.
// - Products are computed when they are waited for, from shared memory as their descriptors say, into accumulators as the
//   128 lanes hold them. An operand that changes in between is an error, as is a lane that asks for something else than the
//   others, or accumulators that were not named where the products began or were waited for.
// - Products see what threads wrote only after all who met at a barrier had published it; what bulk copies brought they see
//   at once.

#include <cstdint>

#include "tests/gpu/shim/block.h"

namespace mla::gpu::shim {

std::uint32_t shared_address(const void* shared);
void barrier_init(std::uint64_t* barrier, int arrivals);
void barrier_arrive(std::uint64_t* barrier, int bytes);
void barrier_wait(std::uint64_t* barrier, int parity);
void bulk_copy(void* shared, const void* from, int bytes, std::uint64_t* barrier);
std::uint32_t bf16_pair(float low, float high);
/// What this thread wrote is to be seen by products.
void publish_writes();
/// Products on these accumulators follow.
void begin_products(const float* sums);
/// Begins a product; all lanes of the warpgroup.
void begin_product(int columns, float* sums, std::uint64_t a, std::uint64_t b, bool b_across, bool add);
void commit_products();
void wait_for_products(const float* sums);

}  // namespace mla::gpu::shim

namespace mla::gpu {

inline constexpr bool kWarpgroupProducts = true;
inline void not_for_this_device() {}

inline std::uint32_t shared_address(const void* shared) { return shim::shared_address(shared); }

inline void barrier_init(std::uint64_t* barrier, int arrivals) { shim::barrier_init(barrier, arrivals); }
inline void barriers_ready() {}
inline void barrier_arrive(std::uint64_t* barrier) { shim::barrier_arrive(barrier, 0); }
inline void barrier_expect(std::uint64_t* barrier, int bytes) { shim::barrier_arrive(barrier, bytes); }
inline void barrier_wait(std::uint64_t* barrier, int parity) { shim::barrier_wait(barrier, parity); }
inline void bulk_copy(void* shared, const void* from, int bytes, std::uint64_t* barrier) {
  shim::bulk_copy(shared, from, bytes, barrier);
}
inline void publish_shared() { shim::publish_writes(); }

template <int kRegisters>
void more_registers() {
  static_assert(kRegisters % 8 == 0 && kRegisters <= 256);
}
template <int kRegisters>
void fewer_registers() {
  static_assert(kRegisters % 8 == 0 && kRegisters >= 24);
}

inline std::uint32_t bf16_pair(float low, float high) { return shim::bf16_pair(low, high); }

template <int n>
void products_begin(float (&d)[n]) {
  shim::begin_products(d);
}
inline void products_commit() { shim::commit_products(); }
template <int n>
void products_wait(float (&d)[n]) {
  shim::wait_for_products(d);
}
inline void product_of_rows(float (&d)[16], std::uint64_t a, std::uint64_t b, bool add) {
  shim::begin_product(32, d, a, b, false, add);
}
inline void product_of_columns(float (&d)[128], std::uint64_t a, std::uint64_t b) {
  shim::begin_product(256, d, a, b, true, true);
}

}  // namespace mla::gpu
