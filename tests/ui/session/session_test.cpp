#include "ui/session/session.h"

#include <gtest/gtest.h>

#include <QThread>
#include <set>

#include "core/engine/decoder.h"
#include "core/engine/thread_guard.h"
#include "core/model/model_catalog.h"
#include "core/model/vocabulary.h"
#include "tests/ui/session/session_fixture.h"

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

TEST(SessionTest, FlowsWhilePlayingAndStandsStillWhilePaused) {
  Session session(cpu_backends());
  session.setSpeed(200);  // its context must not be full before the pause
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 40; }));
  const Snapshot& running = *session.snapshot();
  EXPECT_EQ(running.experiment, tiny_experiment());
  EXPECT_EQ(running.backend.name, "cpu");
  EXPECT_TRUE(running.random_weights);
  EXPECT_GT(running.weight_bytes, 0);
  EXPECT_GT(running.steps->back().cache_bytes, running.steps->front().cache_bytes);

  session.pause();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == State::paused; }));
  const int stopped_at = step_count(session);
  QTest::qWait(60);
  EXPECT_EQ(step_count(session), stopped_at);
  session.step();
  ASSERT_TRUE(wait_for([&] { return step_count(session) == stopped_at + 1; }));
  QTest::qWait(60);
  EXPECT_EQ(step_count(session), stopped_at + 1);
}

TEST(SessionTest, TokensStepsAndRowsOfASnapshotBelongTogether) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  for (int i = 0; i < 5; ++i) session.step();
  ASSERT_TRUE(wait_for([&] { return step_count(session) == 5; }));
  const Snapshot& snapshot = *session.snapshot();
  const int prompt = int(prompt_of(tiny_experiment())->size());
  EXPECT_EQ(int(snapshot.tokens->size()), prompt + 5 + 1);
  EXPECT_FALSE(snapshot.tokens->at(prompt - 1).generated);
  EXPECT_TRUE(snapshot.tokens->at(prompt).generated);
  EXPECT_EQ(snapshot.steps->back().tokens, prompt + 5);
  ASSERT_EQ(int(snapshot.attention.rows->size()), prompt + 5);
  for (int i = 0; i < prompt + 5; ++i) EXPECT_EQ(snapshot.attention.rows->at(i)->query, i);
  EXPECT_EQ(snapshot.attention.thumbnails->used(), prompt + 5);
}

TEST(SessionTest, AChangeMidDecodeEqualsAFreshRunOverTheSameTokens) {
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
TEST(SessionTest, EverySizeOfTheElasticModelEqualsAFreshRunOverTheSameTokens) {
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

TEST(SessionTest, WhatIsBeingPreparedCanBeCancelled) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run > 0; }));
  session.cancel();  // nothing is being prepared
  Experiment slow = tiny_experiment();
  slow.spec.attention.hidden_size = 2048;
  slow.spec.intermediate_size = 8192;
  slow.spec.num_hidden_layers = slow.layers = 12;
  session.setExperiment(slow);
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == State::preparing; }));
  session.cancel();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == State::paused; }));
  EXPECT_EQ(session.experiment(), tiny_experiment());
  EXPECT_EQ(session.snapshot()->experiment, tiny_experiment());
}

TEST(SessionTest, StudiesWhatIsAskedFor) {
  Session session(cpu_backends());
  session.setExperiment(first_experiment());
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run > 0; }));
  EXPECT_EQ(session.snapshot()->quality_curve, nullptr);
  EXPECT_TRUE(session.snapshot()->rank_note.isEmpty());
  session.study({Topic::curve, Topic::rank});
  ASSERT_TRUE(session.snapshot()->quality_curve);
  EXPECT_FALSE(session.snapshot()->rank_note.isEmpty());
  session.study({});
  EXPECT_EQ(session.snapshot()->quality_curve, nullptr);
}

TEST(SessionTest, OfManyChangesOnlyTheNewestCounts) {
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

TEST(SessionTest, SettingsThatCantRunAreRefusedAndTheGoodRunGoesOn) {
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

TEST(SessionTest, AFirstExperimentThatCantRunFailsAndTheNextOneRuns) {
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

TEST(SessionTest, AFullContextIsTheEndUntilThereIsMoreRoom) {
  Session session(cpu_backends());
  session.setSpeed(0);
  Experiment small = tiny_experiment();
  small.context = 40;
  session.setExperiment(small);
  session.play();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->state == State::finished; }));
  EXPECT_EQ(session.snapshot()->steps->back().tokens, 40);
  small.context = 60;
  session.setExperiment(small);
  EXPECT_TRUE(
      wait_for([&] { return session.snapshot()->state == State::finished && session.snapshot()->tokens->size() > 60; }));
  small.context = 10;  // less than there is: what fits stays
  session.setExperiment(small);
  EXPECT_TRUE(wait_for(
      [&] { return session.snapshot()->experiment.context == 10 && session.snapshot()->attention.rows->size() == 10; }));
}

TEST(SessionTest, RestartsFromThePrompt) {
  Session session(cpu_backends());
  session.setSpeed(200);
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 20; }));
  session.pause();
  const quint64 run = session.snapshot()->run;
  session.restart();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->run > run; }));
  EXPECT_EQ(token_count(session), int(prompt_of(tiny_experiment())->size()) + 1);
  Experiment other = tiny_experiment();
  other.prompt = "Two";
  session.setExperiment(other);
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->experiment.prompt == "Two"; }));
  EXPECT_EQ(token_count(session), 4);
}

TEST(SessionTest, AnotherLayerIsRecordedByPrefillingAndAnotherValueByPoolingAgain) {
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

TEST(SessionTest, PinsKeepARunAndNameWhatDiffers) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  session.step();
  ASSERT_TRUE(wait_for([&] { return step_count(session) == 1; }));
  session.pin();
  Experiment changed = tiny_experiment();
  changed.spec.attention.kv_lora_rank = 8;
  session.setExperiment(changed);
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->experiment == changed; }));
  ASSERT_EQ(session.snapshot()->pinned.size(), 1u);
  const PinnedRun& pinned = session.snapshot()->pinned[0];
  EXPECT_EQ(pinned.experiment, tiny_experiment());
  EXPECT_EQ(pinned.steps->size(), 1u);
  EXPECT_EQ(pinned.name, "kv-lora-rank 24");
  session.unpin(5);  // there is no such one
  session.unpin(0);
  EXPECT_TRUE(wait_for([&] { return session.snapshot()->pinned.empty(); }));
}

TEST(SessionTest, SnapshotsComeAtMostOnceAFrame) {
  Session session(cpu_backends());
  session.setSpeed(300);
  std::vector<Clock::time_point> times;
  QObject::connect(&session, &Session::snapshotChanged, [&] { times.push_back(Clock::now()); });
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return times.size() >= 12; }));
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[i - 1], std::chrono::milliseconds(15));
}

TEST(SessionTest, MeasuresTheCeilingsOnceThingsAreQuietAndPredictsEveryStep) {
  Session session(cpu_backends());
  session.setExperiment(tiny_experiment());
  for (int i = 0; i < 3; ++i) session.step();
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->ceilings.read_gb_s > 0; }));
  ASSERT_EQ(step_count(session), 3);
  for (const Step& step : *session.snapshot()->steps) EXPECT_GT(step.roofline_ms, 0);
}

TEST(SessionTest, EndsAtOnceWhateverItIsDoing) {
  for (const int after_ms : {0, 5, 50}) {
    auto session = std::make_unique<Session>(cpu_backends());
    Experiment large = default_experiment();
    large.spec.attention.hidden_size = 4096;
    large.spec.intermediate_size = 11008;
    session->setExperiment(large);
    session->play();
    QTest::qWait(after_ms);
    QElapsedTimer timer;
    timer.start();
    session.reset();
    EXPECT_LT(timer.elapsed(), 3000);
  }
}

TEST(SessionTest, NoEngineCallRunsOnTheWindowsThread) {
  const int before = engine_calls_on_forbidden_thread();
  Session session(cpu_backends());
  session.setSpeed(0);
  session.setExperiment(tiny_experiment());
  session.play();
  ASSERT_TRUE(wait_for([&] { return step_count(session) >= 5; }));
  session.restart();
  session.request({true, 1, MapValue::nope});
  ASSERT_TRUE(wait_for([&] { return session.snapshot()->attention.layer == 1 && step_count(session) >= 5; }));
  EXPECT_EQ(engine_calls_on_forbidden_thread(), before);
}

}  // namespace
}  // namespace mla::ui
