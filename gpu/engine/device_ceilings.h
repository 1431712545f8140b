#pragma once

#include <stop_token>

#include "core/engine/ceilings.h"
#include "gpu/runtime/runtime.h"

namespace mla::gpu {

/// Bytes read and written a second, 1e9, by a copy of so many within the device's memory: the best of several.
double copy_rate(std::size_t bytes, const std::stop_token& stop = {});

/// The device's ceilings: that copy, of as much as tells memory from caches, multiply-adds of fp32, and products of its
/// matrix units. Takes some tenths of a second and a sixteenth of the free memory. Throws Failure.
Ceilings measure_ceilings(const DeviceFacts& device, const std::stop_token& stop);

}  // namespace mla::gpu
