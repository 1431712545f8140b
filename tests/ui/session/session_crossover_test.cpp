#include <gtest/gtest.h>

#include "core/analysis/crossover.h"
#include "core/model/model_catalog.h"
#include "tests/ui/session/session_fixture.h"
#include "ui/session/analyst.h"

namespace mla::ui {
namespace {

class SessionCrossoverTest : public testing::Test {
 protected:
  SessionCrossoverTest() : session_(cpu_backends()) {
    QObject::connect(&session_, &Session::snapshotChanged, [this](const SnapshotPtr& snapshot) {
      if (snapshot->crossover.measuring()) steps_while_measuring_.push_back(int(snapshot->steps->size()));
    });
  }
  void run(Experiment experiment) {
    experiment.context = 64;
    session_.setExperiment(experiment);
    ASSERT_TRUE(wait_for([&] { return session_.snapshot()->run >= 1; }));
  }
  const CrossoverReport& report() const { return session_.snapshot()->crossover; }
  bool known() {
    return wait_for([&] { return report().crossover && !report().measuring(); });
  }

  std::vector<int> steps_while_measuring_;
  Session session_;
};

TEST_F(SessionCrossoverTest, IsMeasuredWhenAskedForWithTheDecodeHeld) {
  run(tiny_experiment());
  EXPECT_FALSE(report().crossover);
  session_.setSpeed(1000);
  session_.play();
  session_.measureCrossover();
  ASSERT_TRUE(known());
  EXPECT_EQ(crossover_key(report().crossover->experiment), crossover_key(session_.experiment()));
  ASSERT_GE(steps_while_measuring_.size(), 2u);
  EXPECT_EQ(steps_while_measuring_.front(), steps_while_measuring_.back()) << "no token came while it was measured";
  EXPECT_TRUE(session_.snapshot()->activity.isEmpty());
  EXPECT_GT(session_.snapshot()->ceilings.read_gb_s, 0) << "what it measured of the machine is known from now on";
  const int before = step_count(session_);
  EXPECT_TRUE(wait_for([&] { return step_count(session_) > before || before >= 60; })) << "and the decode goes on";
}

TEST_F(SessionCrossoverTest, IsRememberedByTheSettingsItDependsOn) {
  run(tiny_experiment());
  session_.measureCrossover();
  ASSERT_TRUE(known());
  const auto measured = report().crossover;
  Experiment other = session_.experiment();
  other.path = AttentionPath::expanded;
  session_.setExperiment(other);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->experiment == other; }));
  EXPECT_EQ(report().crossover, measured);
  other.spec.attention.kv_lora_rank = 8;
  session_.setExperiment(other);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->experiment == other; }));
  EXPECT_FALSE(report().crossover);
  EXPECT_FALSE(report().measuring());
}

TEST_F(SessionCrossoverTest, IsCancelledOnRequestAndByOtherSettings) {
  run(tiny_experiment());
  session_.measureCrossover();
  ASSERT_TRUE(wait_for([&] { return report().measuring(); }));
  session_.cancelCrossover();
  ASSERT_TRUE(wait_for([&] { return !report().measuring(); }));
  EXPECT_FALSE(report().crossover);
  EXPECT_TRUE(report().error.isEmpty());
  session_.measureCrossover();
  ASSERT_TRUE(wait_for([&] { return report().measuring(); }));
  Experiment other = session_.experiment();
  other.spec.attention.kv_lora_rank = 8;
  session_.setExperiment(other);
  ASSERT_TRUE(wait_for([&] { return session_.snapshot()->experiment == other && !report().measuring(); }));
  EXPECT_FALSE(report().crossover);
}

TEST_F(SessionCrossoverTest, WhatHasNoPathsIsRefused) {
  Experiment plain = tiny_experiment();
  plain.spec = with_variant(plain.spec, Variant::mqa);
  plain.path = AttentionPath::expanded;
  run(plain);
  EXPECT_TRUE(report().error.contains("MQA")) << report().error.toStdString();
}

TEST(AnalystHoldTest, NothingIsStudiedWhileItIsHeld) {
  Analyst analyst(nullptr, held_out_excerpt()->substr(0, 600));
  analyst.hold({});
  const Experiment experiment = *apply(first_experiment(), {"kv-lora-rank", "5"});
  analyst.want({experiment}, {Topic::quality});
  QTest::qWait(500);
  EXPECT_EQ(analyst.report(experiment).state, QualityReport::State::measuring);
  analyst.release();
  EXPECT_TRUE(wait_for([&] { return analyst.report(experiment).state == QualityReport::State::known; }));
  analyst.want({*apply(first_experiment(), {"kv-lora-rank", "6"})}, {Topic::quality});
  analyst.hold({});  // returns once nothing runs
  analyst.release();
}

}  // namespace
}  // namespace mla::ui
