#include "gpu/cuda_backend.h"

#include <gtest/gtest.h>

#include "core/engine/run.h"

namespace mla {
namespace {

TEST(CudaBackend, SaysWhatItIsOrWhyItCannotBeUsedAndThenRefusesToRun) {
  const auto backend = make_cuda_backend();
  const BackendInfo info = backend->probe();
  EXPECT_EQ(info.name, "cuda");
  EXPECT_FALSE(info.detail.empty());

  Experiment e = default_experiment();
  e.backend = "cuda";
  const auto model = load(e);
  ASSERT_TRUE(model);
  const auto executor = backend->create(e, model->weights);
  EXPECT_EQ(bool(executor), info.available);
  if (!executor) {
    EXPECT_NE(executor.error().message.find(info.detail), std::string::npos);
  }
}

}  // namespace
}  // namespace mla
