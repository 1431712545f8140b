#include "ui/session/snapshot_builder.h"

#include <gtest/gtest.h>

#include "tests/ui/session/session_fixture.h"

namespace mla::ui {
namespace {

LoadedModel model_of(const Experiment& experiment) {
  auto weights = std::make_shared<ModelWeights>();
  weights->random = true;
  return {experiment, weights, Vocabulary(experiment.spec.vocab_size)};
}

/// A step at a position, with one attention row of that many heads.
StepTrace step_at(int position, int heads = 2) {
  AttentionRow row;
  row.query = position;
  row.heads = heads;
  row.keys = position + 1;
  row.weights.assign(std::size_t(heads) * row.keys, 1.0f / float(row.keys));
  row.scores_nope.assign(row.weights.size(), 0.5f);
  StepTrace trace;
  trace.position = position;
  trace.ms = 1 + position;
  trace.attention.push_back(std::make_shared<const AttentionRow>(row));
  return trace;
}

TEST(SnapshotBuilderTest, KeepsRowsWithinTheBudgetAndTellsWhatTheHistoryTakes) {
  constexpr std::int64_t limit = 9000;
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {}, 0, 1, limit);
  for (int i = 0; i < 60; ++i) builder.add_step(step_at(i));
  builder.set_tokens(std::vector<int>(60, 65), 60);
  const Snapshot snapshot = builder.build();
  const AttentionHistory& history = snapshot.attention;
  EXPECT_LE(history.bytes, limit);
  EXPECT_EQ(history.limit_bytes, limit);
  EXPECT_GT(history.stride, 1);
  EXPECT_EQ(history.rows->back()->query, 59);
  EXPECT_EQ(history.thumbnails->used(), 60) << "thumbnails keep what the rows let go";
  EXPECT_EQ(history.thumbnails->rows(), 60);
  const std::int64_t least = history.bytes + 2 * 2 * 64 * 64 * 4 + 2 * 60 * std::int64_t(sizeof(Step) + sizeof(Token));
  EXPECT_GE(snapshot.history_bytes, least) << "rows, thumbnails, steps and tokens, and the copies that snapshots have";
  EXPECT_LE(snapshot.history_bytes, snapshot.history_limit_bytes);
}

TEST(SnapshotBuilderTest, EarlierSnapshotsStayAsTheyWere) {
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {}, 1);
  builder.add_step(step_at(0));
  builder.set_tokens(std::vector<int>{65, 66}, 1);
  const SnapshotPtr before = builder.snapshot();
  builder.add_step(step_at(1));
  builder.set_tokens(std::vector<int>{65, 66, 67}, 2);
  EXPECT_EQ(before->steps->size(), 1u);
  EXPECT_EQ(before->tokens->size(), 2u);
  EXPECT_EQ(before->attention.rows->size(), 1u);
  EXPECT_EQ(before->attention.thumbnails->used(), 1);
  EXPECT_EQ(builder.snapshot()->tokens->at(2).text, "C");
}

TEST(SnapshotBuilderTest, TheTokenChosenLastMayStillChange) {
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {}, 1);
  builder.set_tokens(std::vector<int>{65, 66}, 1);
  builder.set_tokens(std::vector<int>{65, 70, 71}, 2);
  const SnapshotPtr snapshot = builder.snapshot();
  EXPECT_EQ(snapshot->tokens->at(1).text, "F");
  EXPECT_EQ(snapshot->tokens->at(2).text, "G");
}

TEST(SnapshotBuilderTest, SyntheticTokensComeFirstAndAreNumberedByPosition) {
  Experiment experiment = tiny_experiment();
  experiment.prefill = 3;
  SnapshotBuilder builder(model_of(experiment), {}, {}, 1);
  builder.set_tokens(std::vector<int>{65, 66}, 4);
  const SnapshotPtr snapshot = builder.snapshot();
  ASSERT_EQ(snapshot->tokens->size(), 5u);
  EXPECT_EQ(snapshot->tokens->at(2).text, "x2");
  EXPECT_FALSE(snapshot->tokens->at(3).generated);
  EXPECT_TRUE(snapshot->tokens->at(4).generated);
  experiment.prefill = 0;
  experiment.spec.vocab_size = 0;
  SnapshotBuilder vectors(model_of(experiment), {}, {});
  vectors.set_tokens({}, 7);
  EXPECT_EQ(vectors.snapshot()->tokens->back().text, "x6");
}

TEST(SnapshotBuilderTest, CeilingsPredictEarlierAndLaterSteps) {
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {});
  builder.add_step(step_at(4));
  EXPECT_EQ(builder.snapshot()->steps->back().roofline_ms, 0);
  Ceilings ceilings;
  ceilings.read_gb_s = 10;
  ceilings.fp32_gflop_s = 100;
  builder.set_ceilings(ceilings);
  builder.add_step(step_at(5));
  const auto& steps = *builder.snapshot()->steps;
  EXPECT_DOUBLE_EQ(steps[0].roofline_ms, roofline_ms(decode_cost(tiny_experiment(), 4), ceilings));
  EXPECT_DOUBLE_EQ(steps[1].roofline_ms, roofline_ms(decode_cost(tiny_experiment(), 5), ceilings));
}

TEST(SnapshotBuilderTest, KnowsWhenMostStepsBeatTheirRoofline) {
  Ceilings slow, fast;
  slow.read_gb_s = slow.fp32_gflop_s = 1e-4;
  fast.read_gb_s = fast.fp32_gflop_s = 1e4;
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {});
  builder.set_ceilings(slow);
  for (int i = 0; i < 31; ++i) builder.add_step(step_at(i));
  EXPECT_FALSE(builder.beats_roofline()) << "too few steps to tell";
  builder.add_step(step_at(31));
  EXPECT_TRUE(builder.beats_roofline());
  builder.set_ceilings(fast);
  EXPECT_FALSE(builder.beats_roofline());
}

TEST(SnapshotBuilderTest, ServesWhatIsRecordedAndNothingElse) {
  SnapshotBuilder builder(model_of(tiny_experiment()), {}, {true, 0, MapValue::weight});
  builder.add_step(step_at(0));
  EXPECT_TRUE(builder.serve({true, 0, MapValue::nope}));
  EXPECT_EQ(builder.build().attention.thumbnails->map(0)[0], 0.5f);
  EXPECT_FALSE(builder.serve({true, 1, MapValue::nope}));
  EXPECT_TRUE(builder.serve({false, 1, MapValue::nope}));
  EXPECT_EQ(builder.trace_request().layers, TraceRequest::Layers::none);
  EXPECT_FALSE(builder.serve({true, 0, MapValue::nope})) << "rows were missed meanwhile";
}

}  // namespace
}  // namespace mla::ui
