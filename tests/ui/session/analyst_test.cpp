#include "ui/session/analyst.h"

#include <gtest/gtest.h>

#include <QTest>
#include <algorithm>

#include "core/analysis/quality.h"
#include "core/engine/run.h"
#include "core/model/model_catalog.h"
#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

using State = QualityReport::State;

std::string short_text() { return held_out_excerpt()->substr(0, 600); }

const Topics kQuality{Topic::quality};

Experiment at_latent(int rank) { return *apply(first_experiment(), {"kv-lora-rank", std::to_string(rank)}); }

TEST(AnalystTest, MeasuresOnceWhatTheEngineMeasures) {
  Analyst analyst(nullptr, short_text());
  int changes = 0;
  QObject::connect(&analyst, &Analyst::changed, [&] { ++changes; });
  const Experiment experiment = at_latent(3);
  EXPECT_EQ(analyst.report(experiment).state, State::measuring);
  analyst.want({experiment}, kQuality);
  ASSERT_TRUE(wait_for([&] { return analyst.report(experiment).state == State::known; }));
  const auto model = load(experiment);
  ASSERT_TRUE(model);
  const auto quality = measure_quality(*model, *make_cpu_backend(), short_text());
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
  EXPECT_GE(changes, 1);
}

TEST(AnalystTest, ANewWishReplacesTheOld) {
  Analyst analyst(nullptr, short_text());
  for (int rank = 10; rank <= 20; ++rank) analyst.want({at_latent(rank)}, kQuality);
  ASSERT_TRUE(wait_for([&] { return analyst.report(at_latent(20)).state == State::known; }));
  for (int rank = 10; rank < 20; ++rank) EXPECT_EQ(analyst.report(at_latent(rank)).state, State::measuring) << rank;
}

TEST(AnalystTest, RandomWeightsHaveNoQuality) {
  Analyst analyst(nullptr, short_text());
  analyst.want({default_experiment()}, kQuality);
  EXPECT_EQ(analyst.report(default_experiment()).state, State::none);
}

TEST(AnalystTest, FailureIsReportedWithItsReason) {
  Analyst analyst(nullptr, short_text());
  Experiment lost = at_latent(8);
  lost.model = "/no/such/model";
  analyst.want({lost}, kQuality);
  ASSERT_TRUE(wait_for([&] { return analyst.report(lost).state == State::failed; }));
  EXPECT_TRUE(analyst.report(lost).error.contains("/no/such/model"));
}

TEST(AnalystTest, FindsWhatTheTopicsAskForAndNothingElse) {
  Analyst analyst(nullptr, short_text());
  const Experiment experiment = at_latent(16);
  analyst.want({experiment}, {Topic::heads});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().head_kinds != nullptr; }));
  const Findings heads = analyst.findings();
  EXPECT_EQ(heads.head_kinds->size(), 4u * 6u);
  EXPECT_FALSE(heads.rank || heads.coupled || heads.quality_curve);
  EXPECT_TRUE(heads.rank_note.isEmpty());

  analyst.want({experiment}, {Topic::rank, Topic::coupling});
  EXPECT_FALSE(analyst.findings().rank_note.isEmpty());  // waits, and says so
  ASSERT_TRUE(wait_for([&] { return analyst.findings().rank && analyst.findings().coupled; }));
  const Findings both = analyst.findings();
  EXPECT_TRUE(both.rank_note.isEmpty() && both.coupled_note.isEmpty());
  EXPECT_EQ(both.rank->full_rank, 16);
  EXPECT_EQ(both.rank->points.size(), 5u);  // 16, 8, 4, 2, 1
  EXPECT_EQ(both.rank->text, "the excerpt of fairy tales");
  EXPECT_LT(both.coupled->largest_decoupled(), 1e-6);
  EXPECT_GT(both.coupled->largest_coupled(), 0.01);
}

TEST(AnalystTest, APrecisionIsHeldAgainstFp32) {
  Analyst analyst(nullptr, short_text());
  analyst.want({*apply(at_latent(16), {"cache-dtype", "int8"})}, {Topic::precision});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().precision.has_value(); }));
  EXPECT_EQ(analyst.findings().precision->dtype, CacheDtype::int8);
  EXPECT_GT(analyst.findings().precision->attention_largest, 0);
  EXPECT_TRUE(analyst.findings().precision_note.isEmpty());
  analyst.want({*apply(default_experiment(), {"cache-dtype", "bf16"})}, {Topic::precision});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().precision.has_value(); })) << "random weights have one too";
  analyst.want({default_experiment()}, {Topic::precision});
  EXPECT_FALSE(analyst.findings().precision || !analyst.findings().precision_note.isEmpty()) << "fp32 has none";
}

TEST(AnalystTest, TheRankCurveIsThatOfTheModelWithoutALens) {
  Analyst analyst(nullptr, short_text());
  analyst.want({*apply(at_latent(8), {"lens-rank", "2"})}, {Topic::rank});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().rank != nullptr; }));
  EXPECT_EQ(analyst.findings().rank->full_rank, 8);
}

TEST(AnalystTest, TheCurveGrowsPointByPointAndSharesWhatTheGaugeKnows) {
  Analyst analyst(nullptr, held_out_excerpt()->substr(0, 150));
  const Experiment experiment = at_latent(64);
  analyst.want({experiment}, {Topic::quality, Topic::curve});
  const auto measured = [&] {
    int count = 0;
    if (const auto curve = analyst.findings().quality_curve)
      for (const QualityPoint& point : *curve) count += point.bits_per_byte > 0;
    return count;
  };
  ASSERT_TRUE(wait_for([&] { return measured() >= 7; }));  // 1, 2, 4 … 64
  const Findings findings = analyst.findings();
  const auto present = std::find_if(findings.quality_curve->begin(), findings.quality_curve->end(),
                                    [](const QualityPoint& p) { return p.present; });
  ASSERT_NE(present, findings.quality_curve->end());
  EXPECT_EQ(present->bits_per_byte, findings.quality.bits_per_byte);
}

TEST(AnalystTest, ComparesWithAnotherRunOnTheSameTokensOnceItsQualityIsKnown) {
  Analyst analyst(nullptr, short_text());
  Subject subject{at_latent(4), at_latent(64), {0, 5, 9, 17, 3, 2, 8, 4}, 1};
  const Topics topics{Topic::quality, Topic::comparison};
  analyst.want(subject, topics);
  EXPECT_FALSE(analyst.findings().comparison_note.isEmpty());
  ASSERT_TRUE(wait_for([&] { return analyst.findings().comparison != nullptr; }));
  const Comparison& found = *analyst.findings().comparison;
  EXPECT_EQ(found.first.experiment, at_latent(64));
  EXPECT_EQ(found.second.experiment, at_latent(4));
  EXPECT_EQ(found.ids, subject.tokens);
  EXPECT_EQ(found.layer, 1);
  ASSERT_TRUE(found.first.bits_per_byte && found.second.bits_per_byte);
  EXPECT_EQ(*found.second.bits_per_byte, analyst.report(at_latent(4)).bits_per_byte);
  EXPECT_LT(*found.first.bits_per_byte, *found.second.bits_per_byte);

  subject.other.reset();
  analyst.want(subject, topics);
  EXPECT_EQ(analyst.findings().comparison, nullptr);
  EXPECT_TRUE(analyst.findings().comparison_note.contains("pin a run"));
}

TEST(AnalystTest, RandomBlocksAreComparedToo) {
  Analyst analyst(nullptr, short_text());
  Experiment other = tiny_experiment();
  other.spec.attention.kv_lora_rank = 6;
  analyst.want({tiny_experiment(), other, {1, 2, 3, 4}, 0}, {Topic::quality, Topic::comparison});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().comparison != nullptr; }));
  EXPECT_FALSE(analyst.findings().comparison->first.bits_per_byte);
}

TEST(AnalystTest, ANoteSaysWhyAStudyFailed) {
  Analyst analyst(nullptr, short_text());
  Experiment lost = at_latent(8);
  lost.model = "/no/such/model";
  analyst.want({lost}, {Topic::rank});
  ASSERT_TRUE(wait_for([&] { return analyst.findings().rank_note.contains("/no/such/model"); }));
  EXPECT_EQ(analyst.findings().rank, nullptr);
}

}  // namespace
}  // namespace mla::ui
