#include "gpu/cuda_backend.h"

#include "core/spec/format.h"
#include "gpu/engine/cuda_executor.h"
#include "gpu/engine/device_ceilings.h"

namespace mla {
namespace {

/// E.g. "NVIDIA H200, 140 GiB, compute capability 9.0, CUDA 13.0 driver".
std::string describe(const gpu::DeviceFacts& facts) {
  const auto version = [](int major, int minor) { return std::to_string(major) + "." + std::to_string(minor); };
  return facts.name + ", " + format_bytes(facts.total_memory) + ", compute capability " + version(facts.major, facts.minor) +
         ", CUDA " + version(facts.driver / 1000, facts.driver % 1000 / 10) + " driver";
}

class CudaBackend : public ComputeBackend {
 public:
  BackendInfo probe() const override {
    const Result<gpu::DeviceFacts> facts = gpu::find_device();
    if (!facts) return {"cuda", false, facts.error().message};
    return {"cuda", true, describe(*facts)};
  }

  Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                           std::shared_ptr<const ModelWeights> weights) override {
    const Result<gpu::DeviceFacts> facts = gpu::find_device();
    if (!facts) return Error{"backend cuda: " + facts.error().message};
    if (const Status fits = check_fits(experiment, *facts, *weights); !fits) return fits.error();
    auto executor =
        std::make_unique<gpu::CudaExecutor>(experiment, *facts, store_, std::move(weights), gpu::CudaExecutor::Options{});
    if (const Status ready = executor->prepare(); !ready) return ready.error();
    return std::unique_ptr<Executor>(std::move(executor));
  }

  /// A device that fails here says why at the next step.
  Ceilings measure_ceilings(int, std::stop_token stop) override {
    const Result<gpu::DeviceFacts> facts = gpu::find_device();
    if (!facts) return {};
    try {
      return gpu::measure_ceilings(*facts, stop);
    } catch (const gpu::Failure&) {
      return {};
    }
  }

 private:
  Status check_fits(const Experiment& experiment, const gpu::DeviceFacts& facts, const ModelWeights& weights) const {
    try {
      MemoryNeed need = gpu::CudaExecutor::need(experiment, facts, weights);
      need.weights = store_->missing_bytes(weights);
      return check_need(experiment, need, gpu::free_memory(), " on " + facts.name);
    } catch (const gpu::Failure& failure) {
      return Error{std::string("backend cuda: ") + failure.what()};
    }
  }

  /// Shared by the runs of this backend: a changed setting uploads what changed.
  std::shared_ptr<gpu::WeightStore> store_ = std::make_shared<gpu::WeightStore>();
};

}  // namespace

std::unique_ptr<ComputeBackend> make_cuda_backend() { return std::make_unique<CudaBackend>(); }

}  // namespace mla
