#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "core/engine/backend.h"
#include "core/spec/result.h"

namespace mla {

/// Every backend that this program knows, usable here or not. Only the program knows which there are.
std::vector<std::unique_ptr<ComputeBackend>> make_backends();

/// The backend of that name; the error says why it can't be used, or which there are.
Result<ComputeBackend*> find_backend(const std::vector<std::unique_ptr<ComputeBackend>>& backends, const std::string& name);

/// How a subcommand ends where find_backend gave that error: 2 for a name that is wrong, 1 for a machine that lacks it.
Outcome without_backend(const std::vector<std::unique_ptr<ComputeBackend>>& backends, const std::string& name,
                        const Error& error);

}  // namespace mla
