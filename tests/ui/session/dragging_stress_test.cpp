#include <gtest/gtest.h>

#include <QElapsedTimer>
#include <cstdlib>
#include <random>
#include <string>

#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

int stress_ms() {
  const char* seconds = std::getenv("MLA_STRESS_SECONDS");
  return seconds ? std::max(1, std::atoi(seconds)) * 1000 : 3000;
}

/// A dragged slider's next change, or now and then something else that a hand does.
void do_something(Session& session, std::mt19937& random) {
  const auto pick = [&](int n) { return int(random() % unsigned(n)); };
  static const std::vector<std::pair<std::string, std::vector<std::string>>> changes{
      {"kv-lora-rank", {"2", "7", "8", "24", "33", "64"}},
      {"heads", {"1", "3", "4", "6", "8"}},
      {"rope-dim", {"0", "2", "4", "8", "16"}},
      {"v-head-dim", {"4", "9", "16", "20"}},
      {"q-lora-rank", {"0", "5", "16"}},
      {"layers", {"1", "2", "3"}},
      {"batch", {"1", "2", "5"}},
      {"weights-dtype", {"stored", "bf16", "int8"}},
      {"cache-dtype", {"fp32", "fp16", "bf16", "fp8", "int8"}},
      {"variant", {"mla", "mha", "gqa", "mqa"}},
      {"attention", {"absorbed", "expanded", "reexpanded", "uncached"}},
      {"context", {"64", "256", "512"}},
      {"threads", {"1", "2"}}};
  switch (pick(20)) {
    case 0:
      return session.request({pick(4) != 0, pick(3), MapValue(pick(4))});
    case 1:
      return pick(2) ? session.pause() : session.step();
    case 2:
      return session.restart();
    case 3:
      return pick(2) ? session.pin() : session.unpin(0);
    default:
      break;
  }
  session.play();
  const auto& [setting, values] = changes[pick(int(changes.size()))];
  const auto next = apply(session.experiment(), {setting, values[pick(int(values.size()))]});
  if (next) session.setExperiment(*next);
}

/// What must hold of every snapshot whatever the hand does.
void check(const Snapshot& snapshot) {
  if (snapshot.run == 0) return;
  ASSERT_NE(snapshot.state, Snapshot::State::failed) << snapshot.error.toStdString();
  const AttentionSpec& attention = snapshot.experiment.spec.attention;
  int last = 0;
  for (const Step& step : *snapshot.steps) {
    ASSERT_GT(step.tokens, last);
    last = step.tokens;
  }
  ASSERT_LE(last, snapshot.experiment.context);
  for (const auto& row : *snapshot.attention.rows) {
    ASSERT_EQ(row->heads, attention.num_attention_heads);
    ASSERT_EQ(row->layer, snapshot.attention.layer);
    ASSERT_LT(row->query, int(snapshot.tokens->size()));
  }
}

/// Lasts MLA_STRESS_SECONDS, 3 unless set.
TEST(DraggingStressTest, AnyDraggingLeavesWholeSnapshots) {
  Session session(cpu_backends());
  session.setSpeed(0);
  session.setExperiment(tiny_experiment());
  session.play();
  std::mt19937 random(7);
  int snapshots = 0;
  QObject::connect(&session, &Session::snapshotChanged, [&](const SnapshotPtr& snapshot) {
    ++snapshots;
    check(*snapshot);
  });
  QElapsedTimer timer;
  timer.start();
  while (timer.elapsed() < stress_ms() && !testing::Test::HasFatalFailure()) {
    do_something(session, random);
    QTest::qWait(int(random() % 30));
  }
  EXPECT_GT(snapshots, 5);
  session.setExperiment(tiny_experiment());
  EXPECT_TRUE(wait_for([&] { return session.snapshot()->experiment == tiny_experiment(); }))
      << "the newest is delivered in the end";
}

}  // namespace
}  // namespace mla::ui
