#include "gpu/cuda_backend.h"

#include <gtest/gtest.h>

#include "core/engine/run.h"

namespace mla {
namespace {

TEST(CudaBackend, SaysWhyItCannotBeUsedAndRefusesToRun) {
  const auto backend = make_cuda_backend();
  const BackendInfo info = backend->probe();
  EXPECT_EQ(info.name, "cuda");
  EXPECT_FALSE(info.available);
  EXPECT_FALSE(info.detail.empty());

  Experiment e = default_experiment();
  e.backend = "cuda";
  const auto model = load(e);
  ASSERT_TRUE(model);
  const auto refused = backend->create(e, model->weights);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find(info.detail), std::string::npos);
}

}  // namespace
}  // namespace mla
