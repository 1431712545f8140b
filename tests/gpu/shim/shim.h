#pragma once

#include <cstdint>
#include <functional>

#include "gpu/runtime/runtime.h"
#include "tests/gpu/shim/block.h"

/// A device made of the processor: what tests may ask of it beyond gpu/runtime/runtime.h.
namespace mla::gpu::shim {

/// The device that find_device() finds from now on.
void set_capability(int major, int minor);
/// Its code was compiled for that capability, times 10, and translated for the device.
void set_compiled(int capability);
/// find_device() gives this reason instead; empty: it finds the device again.
void set_absent(const std::string& reason);
/// All its memory, of which what is allocated is not free.
void set_total_memory(std::int64_t bytes);
std::int64_t allocated_memory();
/// The launch after so many more fails, as a lost device does; negative: none.
void fail_launch_after(int launches);
/// Kernels that ran while a copy to the host was begun and not done, since this was asked last.
int launches_beside_copies();

void launch(Stream& stream, const char* kernel, Index grid, int threads, std::size_t shared, std::function<void()> body);

}  // namespace mla::gpu::shim
