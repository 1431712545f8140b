#include "ui/session/analyst.h"

#include <gtest/gtest.h>

#include <QTest>

#include "core/analysis/quality.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

using State = QualityReport::State;

Experiment at_latent(int rank) { return *apply(first_experiment(), {"kv-lora-rank", std::to_string(rank)}); }

TEST(AnalystTest, MeasuresOnceWhatTheEngineMeasures) {
  Analyst analyst;
  int changes = 0;
  QObject::connect(&analyst, &Analyst::changed, [&] { ++changes; });
  const Experiment experiment = at_latent(3);
  EXPECT_EQ(analyst.report(experiment).state, State::measuring);
  analyst.want(experiment);
  ASSERT_TRUE(wait_for([&] { return analyst.report(experiment).state == State::known; }));
  const auto model = load(experiment);
  ASSERT_TRUE(model);
  const auto quality = measure_quality(*model, *make_cpu_backend(), *held_out_excerpt());
  ASSERT_TRUE(quality);
  EXPECT_NEAR(analyst.report(experiment).bits_per_byte, quality->bits_per_byte(), 1e-6);
  Experiment same = experiment;  // what quality does not depend on
  same.seed = 77;
  same.sampling.temperature = 0;
  same.prompt = "Another";
  same.path = AttentionPath::expanded;
  EXPECT_EQ(analyst.report(same).state, State::known);
  EXPECT_EQ(analyst.report(at_latent(4)).state, State::measuring);
  QTest::qWait(1);
  EXPECT_EQ(changes, 1);
}

TEST(AnalystTest, ANewWishReplacesTheOld) {
  Analyst analyst;
  for (int rank = 10; rank <= 20; ++rank) analyst.want(at_latent(rank));
  ASSERT_TRUE(wait_for([&] { return analyst.report(at_latent(20)).state == State::known; }));
  for (int rank = 10; rank < 20; ++rank) EXPECT_EQ(analyst.report(at_latent(rank)).state, State::measuring) << rank;
}

TEST(AnalystTest, RandomWeightsHaveNoQuality) {
  Analyst analyst;
  analyst.want(default_experiment());
  EXPECT_EQ(analyst.report(default_experiment()).state, State::none);
}

TEST(AnalystTest, FailureIsReportedWithItsReason) {
  Analyst analyst;
  Experiment lost = at_latent(8);
  lost.model = "/no/such/model";
  analyst.want(lost);
  ASSERT_TRUE(wait_for([&] { return analyst.report(lost).state == State::failed; }));
  EXPECT_TRUE(analyst.report(lost).error.contains("/no/such/model"));
}

}  // namespace
}  // namespace mla::ui
