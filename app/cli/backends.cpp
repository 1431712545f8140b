#include "app/cli/backends.h"

#include <iostream>

#include "app/cli/command.h"
#include "core/engine/run.h"
#include "gpu/cuda_backend.h"

namespace mla {

std::vector<std::unique_ptr<ComputeBackend>> make_backends() {
  std::vector<std::unique_ptr<ComputeBackend>> backends;
  backends.push_back(make_cpu_backend());
  backends.push_back(make_cuda_backend());
  return backends;
}

Result<ComputeBackend*> find_backend(const std::vector<std::unique_ptr<ComputeBackend>>& backends, const std::string& name) {
  std::string known;
  for (const std::unique_ptr<ComputeBackend>& backend : backends) {
    const BackendInfo info = backend->probe();
    known += (known.empty() ? "" : ", ") + info.name;
    if (info.name != name) continue;
    if (!info.available) return Error{"--backend " + name + ": " + info.detail};
    return backend.get();
  }
  return Error{"--backend " + name + ": is not known; there is " + known};
}

Command add_backends(CLI::App& program) {
  const auto list = [] {
    for (const std::unique_ptr<ComputeBackend>& backend : make_backends()) {
      const BackendInfo info = backend->probe();
      std::cout << info.name << ": " << (info.available ? "" : "cannot be used, ") << info.detail << '\n';
    }
    return Outcome{};
  };
  return {program.add_subcommand("backends", "Where this machine can compute, one a line, for --backend"), list};
}

}  // namespace mla
