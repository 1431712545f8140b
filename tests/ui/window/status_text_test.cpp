#include "ui/window/status_text.h"

#include <gtest/gtest.h>

#include "core/spec/presets.h"
#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

Snapshot running(const Experiment& experiment, int steps) {
  Snapshot snapshot;
  snapshot.run = 1;
  snapshot.experiment = experiment;
  snapshot.state = Snapshot::State::running;
  std::vector<Step> list;
  for (int i = 1; i <= steps; ++i) {
    list.emplace_back();
    list.back().tokens = i;
    list.back().ms = i;
    list.back().cache_bytes = 1024 * i;
  }
  snapshot.steps = std::make_shared<const std::vector<Step>>(list);
  return snapshot;
}

TEST(StatusTextTest, HasBytesMedianWeightsAndPins) {
  Snapshot snapshot = running(tiny_experiment(), 40);
  snapshot.pinned.resize(2);
  // 40 steps of 1 … 40 ms: the last 32 are 9 … 40, the 17th of them 25. (24 + 4) values x 2 layers x 4 bytes = 224 bytes.
  EXPECT_EQ(
      status_text(snapshot).toStdString(),
      "40.0 KiB cache · 224 B/token · 25.0 ms/token (median of last 32) · weights random: attention content means nothing · "
      "pinned: 2");
}

TEST(StatusTextTest, TheCachesPrecisionIsShownAsItWasMeasured) {
  Snapshot snapshot = running(tiny_experiment(), 1);
  EXPECT_TRUE(precision_text(snapshot).isEmpty());
  snapshot.precision_note = "measuring: 40 %";
  EXPECT_EQ(precision_text(snapshot), "Against an fp32 cache: measuring: 40 %");
  snapshot.precision_note.clear();
  snapshot.precision = CacheError{CacheDtype::int8, 96, 0.0123, 1.5e-5, 0.031, 0.0042};
  EXPECT_EQ(precision_text(snapshot).toStdString(),
            "Against an fp32 cache, over 96 tokens: attention weights up to 0.012 apart (mean 1.5e-05), outputs up to 3.1 % "
            "of their root mean square (mean 0.42 %).");
}

TEST(StatusTextTest, SaysWhatTheHistoryTakesAndWhatWasThinned) {
  Snapshot snapshot = running(tiny_experiment(), 40);
  EXPECT_TRUE(history_text(snapshot).isEmpty()) << "no tokens yet";
  snapshot.tokens = std::make_shared<const std::vector<Token>>(1024);
  snapshot.history_bytes = std::int64_t(50) << 20;
  snapshot.history_limit_bytes = std::int64_t(259) << 20;
  EXPECT_EQ(history_text(snapshot).toStdString(), "history 50.0 MiB (≤ 259.0 MiB) · 50.0 KiB/token");
  snapshot.attention.bytes = std::int64_t(48) << 20;
  snapshot.attention.limit_bytes = std::int64_t(256) << 20;
  EXPECT_TRUE(history_details(snapshot).contains("attention rows: 48.0 MiB of at most 256.0 MiB"));
  EXPECT_TRUE(history_details(snapshot).contains("steps: 2.00 MiB, for at most"));
  EXPECT_FALSE(history_details(snapshot).contains("kept"));
  snapshot.attention.stride = 4;
  snapshot.attention.whole_from = 1200;
  EXPECT_TRUE(history_details(snapshot).contains("before token 1200: 1 row in 4 kept, the others let go"));
}

TEST(StatusTextTest, SaysWhatIsGoingOnFirst) {
  Snapshot snapshot = running(tiny_experiment(), 1);
  snapshot.state = Snapshot::State::failed;
  snapshot.error = "the disk is on fire";
  EXPECT_TRUE(status_text(snapshot).startsWith("Failed: the disk is on fire"));
  snapshot.state = Snapshot::State::preparing;
  snapshot.activity = "making 604 MB of weights";
  EXPECT_TRUE(status_text(snapshot).startsWith("making 604 MB of weights"));
  EXPECT_TRUE(status_text(Snapshot{}).isEmpty());
}

TEST(StatusTextTest, APresetSaysHowManyLayersRun) {
  EXPECT_TRUE(honesty_text(Snapshot{}).isEmpty());
  EXPECT_FALSE(honesty_text(running(tiny_experiment(), 1)).contains("layers"));
  EXPECT_TRUE(honesty_text(running(experiment_from(*find_preset("deepseek-v3")), 1)).endsWith("1 of 61 layers runs."));
}

TEST(StatusTextTest, ATrainedModelSaysWhatOfItIsMissing) {
  Snapshot snapshot;
  snapshot.run = 1;
  snapshot.random_weights = false;
  snapshot.experiment.model = "a-model";
  snapshot.experiment.spec.num_hidden_layers = snapshot.experiment.layers = 27;
  EXPECT_TRUE(honesty_text(snapshot).isEmpty());
  snapshot.experiment.layers = 3;
  EXPECT_TRUE(honesty_text(snapshot).contains("the first 3 of 27 layers")) << honesty_text(snapshot).toStdString();
  snapshot.experiment = *apply(snapshot.experiment, {"lens-rank", "12"});
  EXPECT_TRUE(honesty_text(snapshot).contains("cut to rank 12 of 96")) << honesty_text(snapshot).toStdString();
}

}  // namespace
}  // namespace mla::ui
