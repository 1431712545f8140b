#include "gpu/cuda_backend.h"

#include "gpu/runtime/runtime.h"

namespace mla {
namespace {

class CudaBackend : public ComputeBackend {
 public:
  BackendInfo probe() const override {
    const Result<gpu::DeviceFacts> facts = gpu::find_device();
    if (!facts) return {"cuda", false, facts.error().message};
    return {"cuda", false, facts->name + ": this version cannot run experiments on it yet"};
  }

  Result<std::unique_ptr<Executor>> create(const Experiment&, std::shared_ptr<const ModelWeights>) override {
    return Error{"backend cuda: " + probe().detail};
  }
};

}  // namespace

std::unique_ptr<ComputeBackend> make_cuda_backend() { return std::make_unique<CudaBackend>(); }

}  // namespace mla
