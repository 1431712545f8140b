#pragma once

#include <memory>

#include "core/engine/backend.h"

namespace mla {

/// The CUDA backend. This version has no CUDA kernels: its probe says so, and create() refuses.
std::unique_ptr<ComputeBackend> make_cuda_backend();

}  // namespace mla
