#include <gtest/gtest.h>

#include "core/analysis/crossover.h"
#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

constexpr Ceilings kDevice{.read_gb_s = 4000, .fp32_gflop_s = 6e4, .bf16_gflop_s = 8e5};

/// Another device: it computes as the processor does, and says that it can do other things.
class OtherBackend : public ComputeBackend {
 public:
  explicit OtherBackend(Ceilings ceilings) : ceilings_(ceilings) {}
  BackendInfo probe() const override { return {"cuda", true, "a GPU"}; }
  Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                           std::shared_ptr<const ModelWeights> weights) override {
    return cpu_->create(experiment, std::move(weights));
  }
  Ceilings measure_ceilings(int, std::stop_token) override { return ceilings_; }

 private:
  Ceilings ceilings_;
  std::unique_ptr<ComputeBackend> cpu_ = make_cpu_backend();
};

std::vector<std::unique_ptr<ComputeBackend>> with_device(Ceilings ceilings) {
  auto backends = cpu_backends();
  backends.push_back(std::make_unique<OtherBackend>(ceilings));
  return backends;
}

Experiment on_device() {
  Experiment experiment = tiny_experiment();
  experiment.backend = "cuda";
  experiment.context = 64;
  return experiment;
}

TEST(SessionCeilings, AreThoseOfTheBackendThatRuns) {
  Session session(with_device(kDevice));
  session.setExperiment(on_device());
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->ceilings.measured(); }));
  EXPECT_EQ(session.snapshot()->ceilings.read_gb_s, kDevice.read_gb_s);
  Experiment here = on_device();
  here.backend = "cpu";
  session.setExperiment(here);
  ASSERT_TRUE(wait_for([&] {
    const Snapshot& snapshot = *session.snapshot();
    return snapshot.experiment.backend == "cpu" && snapshot.ceilings.measured();
  }));
  EXPECT_NE(session.snapshot()->ceilings.read_gb_s, kDevice.read_gb_s);
}

TEST(SessionCeilings, ModelACrossoverOfTheirBackend) {
  Session session(with_device(kDevice));
  session.setExperiment(on_device());
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run >= 1; }));
  session.measureCrossover();
  const auto known = [&] { return session.snapshot()->crossover.crossover && !session.snapshot()->crossover.measuring(); };
  ASSERT_TRUE(wait_for(known));
  EXPECT_EQ(session.snapshot()->crossover.crossover->ceilings.bf16_gflop_s, kDevice.bf16_gflop_s);
}

TEST(SessionCeilings, ThatCouldNotBeMeasuredModelNothing) {
  Session session(with_device({}));
  session.setExperiment(on_device());
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run >= 1; }));
  session.measureCrossover();
  const auto known = [&] { return session.snapshot()->crossover.crossover && !session.snapshot()->crossover.measuring(); };
  ASSERT_TRUE(wait_for(known));
  for (const CrossoverPoint& point : session.snapshot()->crossover.crossover->sweep(SweepKind::decode).points) {
    EXPECT_GT(point.measured_ms, 0);
    EXPECT_EQ(point.modelled_ms, 0);
  }
}

}  // namespace
}  // namespace mla::ui
