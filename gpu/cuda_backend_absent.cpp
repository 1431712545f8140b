// The CUDA backend of a build without nvcc.
#include "gpu/cuda_backend.h"

namespace mla {
namespace {

class CudaBackend : public ComputeBackend {
 public:
  BackendInfo probe() const override {
    return {"cuda", false, "this program was built without CUDA, for which it needs nvcc"};
  }

  Result<std::unique_ptr<Executor>> create(const Experiment&, std::shared_ptr<const ModelWeights>) override {
    return Error{"backend cuda: " + probe().detail};
  }

  Ceilings measure_ceilings(int, std::stop_token) override { return {}; }
};

}  // namespace

std::unique_ptr<ComputeBackend> make_cuda_backend() { return std::make_unique<CudaBackend>(); }

}  // namespace mla
