// A device that gives a step's attention rows with the next one.
#include <gtest/gtest.h>

#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

/// Runs as the CPU does, but keeps rows back where that was allowed; fails to give them after so many steps.
class LateExecutor : public Executor {
 public:
  LateExecutor(std::unique_ptr<Executor> real, int good) : real_(std::move(real)), good_(good) {}
  Result<ForwardOutput> forward(const ForwardInput& input) override {
    Result<ForwardOutput> output = real_->forward(input);
    if (!output || !input.trace.later) return output;
    std::swap(output->trace.attention, back_);
    --good_;
    return output;
  }
  Result<AttentionRows> late_rows() override {
    if (good_ < 0) return Error{"backend cuda: the GPU no longer answers"};
    return std::exchange(back_, {});
  }
  Status fill_synthetic(int count, std::uint64_t seed) override { return real_->fill_synthetic(count, seed); }
  void reset() override { real_->reset(); }
  int positions() const override { return real_->positions(); }
  std::vector<float> cache_rows(int layer) const override { return real_->cache_rows(layer); }
  void keep_latents(bool keep) override { real_->keep_latents(keep); }

 private:
  std::unique_ptr<Executor> real_;
  AttentionRows back_;
  int good_;
};

class LateBackend : public ComputeBackend {
 public:
  explicit LateBackend(int good) : good_(good) {}
  BackendInfo probe() const override { return {"cuda", true, "late"}; }
  Result<std::unique_ptr<Executor>> create(const Experiment& experiment,
                                           std::shared_ptr<const ModelWeights> weights) override {
    auto real = cpu_->create(experiment, std::move(weights));
    if (!real) return real.error();
    return std::unique_ptr<Executor>(std::make_unique<LateExecutor>(std::move(*real), good_));
  }
  Ceilings measure_ceilings(int, std::stop_token) override { return {}; }

 private:
  std::unique_ptr<ComputeBackend> cpu_ = make_cpu_backend();
  int good_;
};

std::vector<std::unique_ptr<ComputeBackend>> backends(int good) {
  auto all = cpu_backends();
  all.push_back(std::make_unique<LateBackend>(good));
  return all;
}

Experiment on_late_device() {
  Experiment experiment = tiny_experiment();
  experiment.backend = "cuda";
  return experiment;
}

TEST(LateRows, EverySnapshotHasTheRowsOfAllItsTokens) {
  Session session(backends(1 << 20));
  session.setSpeed(0);  // as fast as may be: many steps a snapshot
  int seen = 0;
  QObject::connect(&session, &Session::snapshotChanged, &session, [&] {
    const Snapshot& snapshot = *session.snapshot();
    if (!snapshot.attention.rows || step_count(session) == 0) return;
    ++seen;
    ASSERT_EQ(int(snapshot.attention.rows->size()), snapshot.steps->back().tokens);
    EXPECT_EQ(snapshot.attention.rows->back()->query, snapshot.steps->back().tokens - 1);
  });
  session.setExperiment(on_late_device());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 20; }));
  session.pause();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state != Snapshot::State::running; }));
  EXPECT_GT(seen, 1);
}

TEST(LateRows, ThatDoNotComeAreAFailure) {
  Session session(backends(3));
  session.setSpeed(200);
  session.setExperiment(on_late_device());
  session.play();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == Snapshot::State::failed; }));
  EXPECT_TRUE(session.snapshot()->error.contains(QStringLiteral("no longer answers")));
}

}  // namespace
}  // namespace mla::ui
