#include <gtest/gtest.h>

#include "core/engine/decoder.h"
#include "core/model/model_catalog.h"
#include "tests/ui/session/session_fixture.h"
#include "ui/session/session.h"

namespace mla::ui {
namespace {

using State = Snapshot::State;

/// The tokens of a snapshot's run that were processed, as ids.
std::vector<int> processed(const Snapshot& snapshot) {
  std::vector<int> ids;
  for (const Token& token : *snapshot.tokens) ids.push_back(token.id);
  ids.pop_back();  // chosen, not yet processed
  return ids;
}

/// The last attention row of a fresh run of the experiment over those tokens, in one pass.
std::shared_ptr<const AttentionRow> row_of_fresh_run(const Experiment& experiment, const std::vector<int>& tokens,
                                                     int layer) {
  std::shared_ptr<const AttentionRow> row;
  off_the_window([&] {
    const auto backend = make_cpu_backend();
    const auto model = load(experiment);
    ASSERT_TRUE(model);
    const auto decoder = Decoder::create(model->experiment, *backend, model->weights);
    ASSERT_TRUE(decoder);
    const auto trace = (*decoder)->prefill(tokens, {TraceRequest::Layers::one, layer});
    ASSERT_TRUE(trace);
    row = trace->attention.back();
  });
  return row;
}

TEST(SessionChangeTest, AChangeMidDecodeEqualsAFreshRunOverTheSameTokens) {
  Session session(cpu_backends());
  session.setSpeed(200);  // its context must not be full before the pause
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 10; }));
  Experiment changed = tiny_experiment();
  changed.spec.attention.kv_lora_rank = 7;
  session.setExperiment(changed);
  session.pause();
  ASSERT_TRUE(
      wait_for([&] { return session.snapshot()->experiment == changed && session.snapshot()->state == State::paused; }));

  const Snapshot& snapshot = *session.snapshot();
  const std::vector<int> tokens = processed(snapshot);
  const std::size_t prompt = prompt_of(changed)->size();
  EXPECT_GE(tokens.size(), prompt + 10) << "the history goes on";
  const auto expected = row_of_fresh_run(changed, tokens, 0);
  const auto shown = snapshot.attention.rows->back();
  ASSERT_EQ(shown->query, expected->query);
  ASSERT_EQ(shown->weights.size(), expected->weights.size());
  for (std::size_t i = 0; i < shown->weights.size(); ++i) EXPECT_NEAR(shown->weights[i], expected->weights[i], 2e-5);
  EXPECT_EQ(snapshot.attention.rows->size(), tokens.size()) << "the history's rows are recorded again";
}

// One trained model, whatever the sliders say: its state is that of a run with these settings from the first token on.
TEST(SessionChangeTest, EverySizeOfTheElasticModelEqualsAFreshRunOverTheSameTokens) {
  Session session(cpu_backends());
  session.setSpeed(200);
  const Experiment full = first_experiment();
  ASSERT_FALSE(full.model.empty());
  session.setExperiment(full);
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 10; }));
  for (const Setting& setting : std::vector<Setting>{
           {"kv-lora-rank", "5"}, {"heads", "2"}, {"rope-dim", "6"}, {"lens-rank", "3"}, {"attention", "expanded"}}) {
    const Experiment changed = *apply(session.experiment(), setting);
    session.setExperiment(changed);
    session.pause();
    ASSERT_TRUE(wait_for([&] {
      return session.snapshot()->experiment == changed && session.snapshot()->state == State::paused;
    })) << setting.name;
    const Snapshot& snapshot = *session.snapshot();
    const std::vector<int> tokens = processed(snapshot);
    EXPECT_GE(tokens.size(), prompt_of(changed)->size() + 10) << setting.name;
    const auto expected = row_of_fresh_run(changed, tokens, 0);
    const auto shown = snapshot.attention.rows->back();
    ASSERT_EQ(shown->weights.size(), expected->weights.size()) << setting.name;
    for (std::size_t i = 0; i < shown->weights.size(); ++i)
      EXPECT_NEAR(shown->weights[i], expected->weights[i], 2e-5) << setting.name;
    EXPECT_FALSE(snapshot.random_weights);
  }
}

TEST(SessionChangeTest, OfManyChangesOnlyTheNewestCounts) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run > 0; }));
  const quint64 before = session.snapshot()->run;
  Experiment changed = tiny_experiment();
  for (int rank = 2; rank <= 200; ++rank) {
    changed.spec.attention.kv_lora_rank = rank;
    session.setExperiment(changed);
  }
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->experiment == changed; }));
  EXPECT_LT(session.snapshot()->run - before, 100u);
}

TEST(SessionChangeTest, SettingsThatCantRunAreRefusedAndTheGoodRunGoesOn) {
  Session session(cpu_backends());
  session.setSpeed(50);  // so that its context is not full before the end
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 3; }));
  QStringList reasons;
  QObject::connect(&session, &Session::refused, [&](const QString& reason) { reasons << reason; });

  Experiment invalid = tiny_experiment();
  invalid.spec.attention.kv_lora_rank = 0;
  session.setExperiment(invalid);
  ASSERT_EQ(reasons.size(), 1);
  EXPECT_TRUE(reasons[0].contains("kv_lora_rank")) << reasons[0].toStdString();
  EXPECT_EQ(session.experiment(), tiny_experiment());

  Experiment huge = tiny_experiment();
  huge.context = 4194304;
  huge.batch = 1024;
  huge.spec.attention.kv_lora_rank = 4096;
  session.setExperiment(huge);
  ASSERT_TRUE(wait_for([&] { return reasons.size() == 2; }));
  EXPECT_EQ(session.experiment(), tiny_experiment());

  Experiment elsewhere = tiny_experiment();
  elsewhere.backend = "cuda";
  session.setExperiment(elsewhere);
  ASSERT_TRUE(wait_for([&] { return reasons.size() == 3; }));
  EXPECT_TRUE(reasons[2].contains("cuda"));

  const int steps = step_count(session);
  EXPECT_TRUE(wait_for([&] { return session.snapshot()->experiment == tiny_experiment() && step_count(session) != steps; }));
  EXPECT_NE(session.snapshot()->state, State::failed);
}

TEST(SessionChangeTest, AFirstExperimentThatCantRunFailsAndTheNextOneRuns) {
  Session session(cpu_backends());
  Experiment elsewhere = tiny_experiment();
  elsewhere.backend = "cuda";
  session.setExperiment(elsewhere);
  session.play();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == State::failed; }));
  EXPECT_TRUE(session.snapshot()->error.contains("cuda"));
  session.setExperiment(tiny_experiment());
  EXPECT_TRUE(wait_for([&] { return step_count(session) > 0; }));
  EXPECT_TRUE(session.snapshot()->error.isEmpty());
}

TEST(SessionChangeTest, AnotherLayerIsRecordedByPrefillingAndAnotherValueByPoolingAgain) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  for (int i = 0; i < 4; ++i) session.step();
  ASSERT_TRUE(wait_for([&] { return step_count(session) == 4; }));
  const quint64 run = session.snapshot()->run;
  session.request({true, 0, MapValue::score});
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->attention.thumbnails->value() == MapValue::score; }));
  EXPECT_EQ(session.snapshot()->run, run);
  session.request({true, 1, MapValue::score});
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->attention.layer == 1; }));
  const auto tokens = processed(*session.snapshot());
  EXPECT_EQ(session.snapshot()->attention.rows->size(), tokens.size());
  const auto expected = row_of_fresh_run(tiny_experiment(), tokens, 1);
  EXPECT_NEAR(session.snapshot()->attention.rows->back()->weights[0], expected->weights[0], 2e-5);
  session.request({false, 1, MapValue::score});
  const std::size_t rows = session.snapshot()->attention.rows->size();
  session.step();
  ASSERT_TRUE(wait_for([&] { return step_count(session) == 1; }));
  EXPECT_EQ(session.snapshot()->attention.rows->size(), rows) << "nothing is recorded when nothing shows it";
}

}  // namespace
}  // namespace mla::ui
