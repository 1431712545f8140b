#pragma once

#include <memory>

#include "core/engine/backend.h"

namespace mla {

/// The CUDA backend: an NVIDIA GPU of compute capability 7.5 or later. Where there is none, no driver or none that is new
/// enough, or where the program was built without CUDA, its probe says so, and create() refuses.
std::unique_ptr<ComputeBackend> make_cuda_backend();

}  // namespace mla
