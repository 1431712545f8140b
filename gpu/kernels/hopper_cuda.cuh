#pragma once

// hopper.cuh on a GPU. Included from there.

#include <cstdint>

#include "gpu/kernels/platform.cuh"

namespace mla::gpu {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ == 900 && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
#error "compute capability 9.0 is to be compiled as 90a, which has these instructions: see MLA_CUDA_ARCHITECTURES"
#endif

/// Whether this is compiled for what has these instructions.
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
inline constexpr bool kWarpgroupProducts = true;
#else
inline constexpr bool kWarpgroupProducts = false;
#endif

/// Ends the launch with an error: a kernel was chosen that is not compiled for this device.
MLA_DEVICE void not_for_this_device() { asm volatile("trap;"); }

MLA_DEVICE std::uint32_t shared_address(const void* shared) { return std::uint32_t(__cvta_generic_to_shared(shared)); }

// The registers of a thread from here on, for all threads of the warpgroup; a multiple of 8.

template <int kRegisters>
MLA_DEVICE void more_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
MLA_DEVICE void fewer_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

// Barriers in shared memory, of which a phase ends when `arrivals` have come and the bytes that they announced.

MLA_DEVICE void barrier_init(std::uint64_t* barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}
/// Makes new barriers known to bulk copies; by the thread that initialised them, before the block's barrier.
MLA_DEVICE void barriers_ready() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}
MLA_DEVICE void barrier_arrive(std::uint64_t* barrier) {
  asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
/// Arrives and announces the bytes of bulk copies.
MLA_DEVICE void barrier_expect(std::uint64_t* barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.release.cta.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
               "r"(bytes)
               : "memory");
}
/// Waits for the end of the phase of that parity; the first has parity 0.
MLA_DEVICE void barrier_wait(std::uint64_t* barrier, int parity) {
  std::uint32_t done = 0;
  while (!done)
    asm volatile(
        "{\n.reg .pred p;\n"
        "mbarrier.try_wait.parity.acquire.cta.shared::cta.b64 p, [%1], %2;\n"
        "selp.u32 %0, 1, 0, p;\n}"
        : "=r"(done)
        : "r"(shared_address(barrier)), "r"(parity)
        : "memory");
}

/// Begins to copy to shared memory; `barrier` receives the bytes. Addresses and size in multiples of 16.
MLA_DEVICE void bulk_copy(void* shared, const void* from, int bytes, std::uint64_t* barrier) {
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(shared)),
               "l"(__cvta_generic_to_global(from)), "r"(bytes), "r"(shared_address(barrier))
               : "memory");
}

/// What this thread wrote to shared memory is seen by bulk copies and products that begin after the next barrier.
MLA_DEVICE void publish_shared() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

// Products: all threads of the warpgroup together. Between products_begin and products_wait nobody touches the accumulators
// or the operands.

/// Ties the compiler's view of accumulators to a place in the program: what is computed of them stays on its side.
template <int n>
MLA_DEVICE void pin(float (&d)[n]) {
#pragma unroll
  for (int i = 0; i < n; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

/// Before the first product on these accumulators, and again where they have been touched since.
template <int n>
MLA_DEVICE void products_begin(float (&d)[n]) {
  pin(d);
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
}
MLA_DEVICE void products_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
/// Until all committed ones are done; they were on these accumulators.
template <int n>
MLA_DEVICE void products_wait(float (&d)[n]) {
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
  pin(d);
}

#define MLA_FOUR(d, i) "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3])
#define MLA_SIXTEEN(d, i) MLA_FOUR(d, i), MLA_FOUR(d, i + 4), MLA_FOUR(d, i + 8), MLA_FOUR(d, i + 12)

/// d [64, 32] (+)= a [64, 16] b [32, 16]ᵀ of bf16, both operands rows; without `add` what d held is forgotten.
MLA_DEVICE void product_of_rows(float (&d)[16], std::uint64_t a, std::uint64_t b, bool add) {
  asm volatile(
      "{\n.reg .pred add;\nsetp.ne.b32 add, %18, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n32k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15"
      "}, %16, %17, add, 1, 1, 0, 0;\n}"
      : MLA_SIXTEEN(d, 0)
      : "l"(a), "l"(b), "r"(int(add)));
}

/// d [64, 256] += a [64, 16] b [16, 256] of bf16: rows times columns.
MLA_DEVICE void product_of_columns(float (&d)[128], std::uint64_t a, std::uint64_t b) {
  asm volatile(
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {"
      "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "
      "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, "
      "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, "
      "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63, "
      "%64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "
      "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "
      "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, "
      "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
      "}, %128, %129, 1, 1, 1, 0, 1;"
      : MLA_SIXTEEN(d, 0), MLA_SIXTEEN(d, 16), MLA_SIXTEEN(d, 32), MLA_SIXTEEN(d, 48), MLA_SIXTEEN(d, 64),
        MLA_SIXTEEN(d, 80), MLA_SIXTEEN(d, 96), MLA_SIXTEEN(d, 112)
      : "l"(a), "l"(b));
}

#undef MLA_SIXTEEN
#undef MLA_FOUR

/// Two values as bf16, the first in the low half.
MLA_DEVICE std::uint32_t bf16_pair(float low, float high) {
  std::uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}

}  // namespace mla::gpu
