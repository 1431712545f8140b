#include "core/analysis/head_kinds.h"

#include <algorithm>
#include <set>

#include "tests/core/engine/engine_run.h"

namespace mla {
namespace {

using Rows = std::vector<std::shared_ptr<const AttentionRow>>;

/// Rows of `tokens` queries with weights by weight(head, query, key).
template <class Weights>
Rows rows_of(int layer, int heads, int tokens, Weights weight) {
  Rows rows;
  for (int query = 0; query < tokens; ++query) {
    AttentionRow row{layer, query, heads, query + 1, {}, {}, {}};
    for (int h = 0; h < heads; ++h)
      for (int key = 0; key <= query; ++key) row.weights.push_back(float(weight(h, query, key)));
    rows.push_back(std::make_shared<const AttentionRow>(row));
  }
  return rows;
}

TEST(HeadScores, OfConstructedRowsAreKnown) {
  const auto rows = rows_of(2, 3, 32, [](int head, int query, int key) {
    if (head == 0) return key == 0 ? 0.75 : 0.25 / query;
    if (head == 1) return key == query - 1 ? 1.0 : 0.0;
    return 1.0 / (query + 1);
  });
  const auto scores = head_scores(rows);
  ASSERT_EQ(scores.size(), 3u);
  EXPECT_EQ(std::pair(scores[1].layer, scores[1].head), std::pair(2, 1));
  EXPECT_NEAR(*scores[0].sink, 0.75, 1e-6);
  EXPECT_NEAR(*scores[1].sink, 0, 1e-6);
  EXPECT_NEAR(*scores[1].previous, 1, 1e-6);
  double even = 0;
  for (int query = 16; query < 32; ++query) even += 1.0 / (query + 1) / 16;
  EXPECT_NEAR(*scores[2].sink, even, 1e-6);
  EXPECT_NEAR(*scores[2].previous, even, 1e-6);
  EXPECT_FALSE(scores[0].induction);
  EXPECT_EQ(kinds_of(scores[0]), std::vector{HeadKind::sink});
  EXPECT_EQ(kinds_of(scores[1]), std::vector{HeadKind::previous_token});
  EXPECT_TRUE(kinds_of(scores[2]).empty());
}

TEST(HeadScores, EarlyQueriesAreLeftOut) {
  const auto rows = rows_of(0, 1, 20, [](int, int query, int key) { return query < 16 ? key == 0 : key == query - 1; });
  EXPECT_EQ(*head_scores(rows).front().sink, 0);
  EXPECT_EQ(*head_scores(rows).front().previous, 1);
  EXPECT_NEAR(*head_scores(rows, 0).front().sink, 15 / 19.0, 1e-6) << "the first query has no choice and never counts";
  const auto early = head_scores(Rows(rows.begin(), rows.begin() + 10));
  ASSERT_EQ(early.size(), 1u);
  EXPECT_FALSE(early.front().sink || early.front().previous);
  EXPECT_TRUE(kinds_of(early.front()).empty());
}

TEST(InductionScores, OfConstructedRowsAreKnown) {
  const int length = 6;
  const auto rows = rows_of(0, 2, 2 * length, [](int head, int query, int key) {
    if (head == 0) return key == query - length + 1 ? 0.5 : key == query ? 0.5 : 0.0;
    return key == query - length ? 1.0 : 0.0;  // the same token, not what followed
  });
  const auto scores = induction_scores(rows, length);
  EXPECT_NEAR(*scores[0].induction, 0.5, 1e-6);
  EXPECT_NEAR(*scores[1].induction, 0, 1e-6);
  EXPECT_EQ(kinds_of(scores[0]), std::vector{HeadKind::induction});
  EXPECT_TRUE(kinds_of(scores[1]).empty());
}

TEST(RepeatedTokens, AreTheSameTwice) {
  for (const auto& [vocab, length] : {std::pair{256, 50}, {40, 20}, {5, 30}}) {
    const auto tokens = repeated_tokens(vocab, length, 9);
    ASSERT_EQ(tokens.size(), 2u * length);
    EXPECT_TRUE(std::equal(tokens.begin(), tokens.begin() + length, tokens.begin() + length));
    for (const int token : tokens) EXPECT_TRUE(token >= 0 && token < vocab);
    const std::set<int> different(tokens.begin(), tokens.end());
    EXPECT_EQ(different.size() == std::size_t(length), vocab >= 2 * length);
  }
  EXPECT_NE(repeated_tokens(256, 50, 9), repeated_tokens(256, 50, 10));
}

constexpr int kVocab = 40, kRope = 4;

/// Zeros of that shape, then what set(at) writes; at(row, col) is a reference.
template <class Set>
Weight weight_by(const Weight& like, Set set) {
  auto values = std::make_shared<Buffer<float>>(like.values->size());
  std::fill_n(values->data(), values->size(), 0.0f);
  set([&](int row, int col) -> float& { return (*values)[std::size_t(row) * like.cols + col]; });
  return {like.name, like.rows, like.cols, values, 0};
}

/// Two layers of one head, made by hand. A hidden state is a constant, the token as one of kVocab columns, and the token
/// before it as one of kVocab more. Layer 0 attends by RoPE alone, most at distance 1, and copies the token it finds to the
/// last columns; layer 1 looks for keys whose token before is the query's token: an induction head.
LoadedModel induction_by_construction() {
  Experiment e;
  e.spec.block = BlockKind::attention;
  e.spec.intermediate_size = 0;
  e.spec.vocab_size = kVocab;
  e.spec.num_hidden_layers = e.layers = 2;
  AttentionSpec& a = e.spec.attention;
  a = {Variant::mha, 1 + 2 * kVocab, 1, 1, kVocab, kRope, kVocab + kRope, 0, 0, {}};
  a.rope.theta = 100;
  e.path = AttentionPath::expanded;
  const auto random = load(e);
  if (!random) ADD_FAILURE() << random.error().message;
  auto weights = std::make_shared<ModelWeights>(*random->weights);
  weights->embed_tokens = weight_by(weights->embed_tokens, [](auto at) {
    for (int t = 0; t < kVocab; ++t) at(t, 0) = at(t, 1 + t) = 1;
  });
  const double frequencies[] = {1, 0.1};
  AttentionWeights& previous = weights->layers[0].attention;
  previous.q_proj.weight = weight_by(previous.q_proj.weight, [&](auto at) {
    for (int p = 0; p < 2; ++p) {  // a key turned by the distance 1 meets this query head on
      at(kVocab + 2 * p, 0) = float(5 * std::cos(frequencies[p]));
      at(kVocab + 2 * p + 1, 0) = float(-5 * std::sin(frequencies[p]));
    }
  });
  previous.k_proj.weight = weight_by(previous.k_proj.weight, [](auto at) { at(kVocab, 0) = at(kVocab + 2, 0) = 5; });
  previous.v_proj.weight = weight_by(previous.v_proj.weight, [](auto at) {
    for (int t = 0; t < kVocab; ++t) at(t, 1 + t) = 1;
  });
  previous.o_proj.weight = weight_by(previous.o_proj.weight, [](auto at) {
    for (int t = 0; t < kVocab; ++t) at(1 + kVocab + t, t) = 1;
  });
  AttentionWeights& induction = weights->layers[1].attention;
  induction.q_proj.weight = weight_by(induction.q_proj.weight, [](auto at) {
    for (int t = 0; t < kVocab; ++t) at(t, 1 + t) = 5;
  });
  induction.k_proj.weight = weight_by(induction.k_proj.weight, [](auto at) {
    for (int t = 0; t < kVocab; ++t) at(t, 1 + kVocab + t) = 5;
  });
  return {random->experiment, weights, random->vocabulary};
}

TEST(HeadKinds, OfAModelMadeByHandAreFound) {
  const LoadedModel model = induction_by_construction();
  const int length = 20;
  double last = 0;
  const auto induction = induction_scores(model, length, 4, cpu(), [&](double fraction) {
    EXPECT_GT(fraction, last);
    last = fraction;
  });
  ASSERT_TRUE(induction) << induction.error().message;
  EXPECT_EQ(last, 1);
  ASSERT_EQ(induction->size(), 2u);
  EXPECT_LT(*(*induction)[0].induction, 0.1);
  // All but the first repeated token, whose key at position 0 has nothing before it and copied itself: half of that weight.
  EXPECT_NEAR(*(*induction)[1].induction, (length - 0.5) / length, 0.05);
  EXPECT_EQ(kinds_of((*induction)[1]), std::vector{HeadKind::induction});

  const auto tokens = repeated_tokens(kVocab, length, 4);
  auto decoder = Decoder::create(model.experiment, cpu(), model.weights);
  ASSERT_TRUE(decoder) << decoder.error().message;
  const auto trace = (*decoder)->prefill(std::span(tokens).first(length), kTraceAll);
  ASSERT_TRUE(trace) << trace.error().message;
  const auto scores = head_scores(trace->attention);
  ASSERT_EQ(scores.size(), 2u);
  EXPECT_GT(*scores[0].previous, 0.9);
  EXPECT_EQ(kinds_of(scores[0]), std::vector{HeadKind::previous_token});
  EXPECT_LT(*scores[1].previous, 0.2);
  const auto both = with_induction(scores, *induction);
  EXPECT_EQ(both[1].induction, (*induction)[1].induction);
  EXPECT_EQ(both[0].previous, scores[0].previous);
}

TEST(HeadKinds, StopAndRefuse) {
  LoadedModel model = induction_by_construction();
  std::stop_source source;
  const auto stopped = induction_scores(
      model, 8, 1, cpu(), [&](double) { source.request_stop(); }, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "cancelled");
  EXPECT_EQ(induction_scores(model, 1, 1, cpu()).error().message, "induction heads: length is 1: must be at least 2");
  model.experiment.spec.vocab_size = 0;
  EXPECT_EQ(induction_scores(model, 8, 1, cpu()).error().message,
            "induction heads: the model has no vocabulary, so there are no tokens to repeat");
}

}  // namespace
}  // namespace mla
