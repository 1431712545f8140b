#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/engine/backend.h"
#include "core/spec/result.h"

namespace mla {

/// Every backend that this program knows, usable here or not. Only the program knows which there are.
std::vector<std::unique_ptr<ComputeBackend>> make_backends();

/// The backend of that name; the error says why it can't be used, or which there are.
Result<ComputeBackend*> find_backend(const std::vector<std::unique_ptr<ComputeBackend>>& backends, const std::string& name);

}  // namespace mla
