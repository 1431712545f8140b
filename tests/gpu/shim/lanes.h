#pragma once

#include <functional>

#include "tests/gpu/shim/block.h"

namespace mla::gpu::shim {

/// Runs `body` once for every thread of the block, all of them to the end.
void run_block(Block& block, const std::function<void()>& body);

}  // namespace mla::gpu::shim
