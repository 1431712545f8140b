#pragma once

// What a kernel needs of the device, under names of our own. The same kernel bodies compile for a GPU and, in the tests, for
// the processor (MLA_DEVICE_SHIM: a thread of a block becomes one of the processor's that waits where a block's thread
// would).
//
// A kernel is a struct:
//
//   struct AddRows {
//     static constexpr const char* kName = "add_rows";
//     static constexpr int kThreads = 256;   // of a block, whole warps
//     static constexpr int kBlocks = 1;      // of it on a multiprocessor, at least
//     struct Params { float* out; const float* in; int n; };
//     static MLA_DEVICE void run(const Params& p);
//   };
//   launch<AddRows>(stream, {blocks}, params, shared_bytes);
//
// All threads of a block reach every barrier: none may return before the last one.

#include <cstddef>
#include <cstdint>

#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Blocks of a launch.
struct Grid {
  int x = 1, y = 1, z = 1;
};

/// Blocks that cover `length` of what each takes so many of.
constexpr int blocks_for(int length, int each) { return (length + each - 1) / each; }

}  // namespace mla::gpu

#ifdef __CUDACC__
#include "gpu/kernels/platform_cuda.cuh"
#else
#include MLA_DEVICE_SHIM
#endif
