#include "core/analysis/memory.h"
#include "core/engine/cpu_executor.h"
#include "core/engine/run.h"

namespace mla {
namespace {

class CpuBackend : public ComputeBackend {
 public:
  BackendInfo probe() const override {
    const Kernels& best = *available_kernels().back();
    const int threads = default_threads();
    return {"cpu", true, std::string(best.title) + ", " + std::to_string(threads) + (threads == 1 ? " core" : " cores")};
  }

  Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                           std::shared_ptr<const ModelWeights> weights) override {
    const auto kernels = find_kernels(experiment.isa);
    if (!kernels) return kernels.error();
    if (Status fits = check_fits(experiment, available_memory(), weights->held_bytes()); !fits) return fits.error();
    return std::unique_ptr<Executor>(std::make_unique<CpuExecutor>(experiment, **kernels, std::move(weights)));
  }

  Ceilings measure_ceilings(int threads, std::stop_token stop) override {
    return measure_cpu_ceilings(threads, std::move(stop));
  }
};

}  // namespace

std::unique_ptr<ComputeBackend> make_cpu_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace mla
