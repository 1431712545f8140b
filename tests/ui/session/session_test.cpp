#include "ui/session/session.h"

#include <gtest/gtest.h>

#include "core/engine/thread_guard.h"
#include "core/model/model_catalog.h"
#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

using State = Snapshot::State;

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
  for (std::size_t i = 1; i < times.size(); ++i) EXPECT_GE(times[i] - times[0], (int(i) - 1) * kFrame);
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
