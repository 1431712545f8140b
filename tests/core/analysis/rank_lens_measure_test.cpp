#include "core/analysis/rank_lens_measure.h"

#include "core/attention/reference.h"
#include "tests/core/analysis/lens_models.h"

namespace mla {
namespace {

std::vector<float> logits_of(std::initializer_list<double> probabilities, double shift) {
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(float(std::log(p) + shift));
  return logits;
}

TEST(Divergence, IsWhatOneComputesByHand) {
  const auto p = logits_of({0.5, 0.5}, 0), q = logits_of({0.25, 0.75}, 3);
  EXPECT_NEAR(kl_bits(p, q), 0.5 * 1 + 0.5 * std::log2(2.0 / 3), 1e-6);
  EXPECT_NEAR(kl_bits(q, p), 0.25 * -1 + 0.75 * std::log2(1.5), 1e-6);
  EXPECT_EQ(kl_bits(p, p), 0);
  EXPECT_NEAR(surprise_bits(q, 0), 2, 1e-6);
  EXPECT_NEAR(surprise_bits(logits_of({0.125, 0.875}, -40), 0), 3, 1e-5);
}

TEST(Divergence, LargeLogitsNeitherOverflowNorVanish) {
  const std::vector<float> p{1000, 0}, q{0, 1000};
  EXPECT_NEAR(kl_bits(p, q), 1000 / std::log(2.0), 1e-6);
  EXPECT_NEAR(surprise_bits(p, 1), 1000 / std::log(2.0), 1e-6);
  const std::vector<float> masked{0, -INFINITY};
  EXPECT_NEAR(kl_bits(masked, p), 0, 1e-12);
}

TEST(Divergence, TotalVariationIsTheShareThatLiesElsewhere) {
  const std::vector<float> a{0.5f, 0.5f, 0}, b{0.25f, 0.5f, 0.25f}, c{0, 0, 1};
  EXPECT_DOUBLE_EQ(total_variation(a, b), 0.25);
  EXPECT_DOUBLE_EQ(total_variation(a, c), 1);
  EXPECT_DOUBLE_EQ(total_variation(a, a), 0);
}

std::vector<int> some_tokens(int count, int vocab, std::mt19937& rng) {
  std::vector<int> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(int(rng() % vocab));
  return tokens;
}

std::vector<float> embedded(const ModelWeights& weights, std::span<const int> tokens) {
  std::vector<float> x;
  const int d = weights.embed_tokens.cols;
  for (const int token : tokens) {
    const float* row = weights.embed_tokens.data() + std::ptrdiff_t(token) * d;
    x.insert(x.end(), row, row + d);
  }
  return x;
}

/// The same means from the plain computation in double precision, probabilities by the textbook.
struct PlainMeans {
  double kl = 0, bits = 0, full_bits = 0;
  std::vector<double> change;
};

PlainMeans plain_means(const LoadedModel& full, const TruncatedModel& truncated, const std::vector<int>& tokens,
                       int window) {
  PlainMeans means;
  const int vocab = full.experiment.spec.vocab_size, heads = full.experiment.spec.attention.num_attention_heads;
  means.change.assign(full.experiment.layers, 0);
  int predicted = 0, rows = 0;
  for (std::size_t first = 0; first + 1 < tokens.size(); first += window) {
    const auto part = std::span(tokens).subspan(first, std::min<std::size_t>(window, tokens.size() - first));
    const int total = int(part.size());
    const auto a = reference_forward(full.experiment.spec, *full.weights, embedded(*full.weights, part));
    const auto b = reference_forward(truncated.spec, *truncated.weights, embedded(*full.weights, part));
    for (int t = 0; t + 1 < total; ++t, ++predicted) {
      double sum_a = 0, sum_b = 0;
      for (int i = 0; i < vocab; ++i) sum_a += std::exp(a.logits[t * vocab + i]), sum_b += std::exp(b.logits[t * vocab + i]);
      for (int i = 0; i < vocab; ++i) {
        const double p = std::exp(a.logits[t * vocab + i]) / sum_a, q = std::exp(b.logits[t * vocab + i]) / sum_b;
        means.kl += p * std::log2(p / q);
        if (i == part[t + 1]) means.bits -= std::log2(q), means.full_bits -= std::log2(p);
      }
    }
    for (std::size_t l = 0; l < means.change.size(); ++l)
      for (int h = 0; h < heads; ++h)
        for (int i = 0; i < total * total; ++i) means.change[l] += std::abs(a.weights[l][h][i] - b.weights[l][h][i]) / 2;
    rows += total * heads;
  }
  means.kl /= predicted, means.bits /= predicted, means.full_bits /= predicted;
  for (double& change : means.change) change /= rows;
  return means;
}

TEST(MeasureRank, IsThePlainComputation) {
  std::mt19937 rng(21);
  for (const Variant variant : {Variant::mla, Variant::mha, Variant::gqa, Variant::mla, Variant::mla}) {
    const LoadedModel model = lens_model(variant, rng);
    const auto tokens = some_tokens(25, model.experiment.spec.vocab_size, rng);
    const auto factors = factor_latent(model.experiment.spec, *model.weights);
    ASSERT_TRUE(factors) << factors.error().message;
    const auto full = run_held_out(model, tokens, 8, cpu());
    ASSERT_TRUE(full) << full.error().message;
    EXPECT_EQ(full->windows.size(), 3u) << "a last window of one token predicts nothing";
    const auto truncated = truncate_latent(*model.weights, **factors, ((*factors)->full_rank() + 1) / 2);
    const auto point = measure_rank(*full, *truncated, cpu());
    ASSERT_TRUE(point) << point.error().message;
    const PlainMeans want = plain_means(model, *truncated, tokens, 8);
    EXPECT_EQ(point->tokens, 3 * 7);
    EXPECT_NEAR(point->kl_bits, want.kl, 1e-4 + 1e-3 * want.kl);
    EXPECT_NEAR(point->bits, want.bits, 1e-3);
    EXPECT_NEAR(point->full_bits, want.full_bits, 1e-3);
    ASSERT_EQ(point->map_change.size(), want.change.size());
    for (std::size_t l = 0; l < want.change.size(); ++l) EXPECT_NEAR(point->map_change[l], want.change[l], 1e-4);
  }
}

TEST(MeasureRanks, FallsFromNothingLostAtFullRank) {
  std::mt19937 rng(22);
  LoadedModel model = lens_model(Variant::mla, rng);
  while (model.experiment.spec.attention.kv_lora_rank < 16) model = lens_model(Variant::mla, rng);
  const auto tokens = some_tokens(24, model.experiment.spec.vocab_size, rng);
  const auto factors = factor_latent(model.experiment.spec, *model.weights);
  const std::vector<int> ranks = usual_ranks((*factors)->full_rank());
  double last = 0;
  const auto curve = measure_ranks(model, **factors, ranks, tokens, 12, cpu(), [&](double fraction) {
    EXPECT_GE(fraction, last);
    last = fraction;
  });
  ASSERT_TRUE(curve) << curve.error().message;
  EXPECT_NEAR(last, 1, 1e-9);
  ASSERT_EQ(curve->points.size(), ranks.size());
  const RankPoint &whole = curve->points.front(), &least = curve->points.back();
  EXPECT_LT(whole.kl_bits, 1e-6);
  EXPECT_NEAR(whole.bits, whole.full_bits, 1e-4);
  for (const double change : whole.map_change) EXPECT_LT(change, 1e-4);
  EXPECT_EQ(whole.bytes_per_token, curve->full_bytes_per_token);
  EXPECT_GT(least.kl_bits, 1e-3);
  EXPECT_GT(least.map_change[0], 1e-3);
  EXPECT_LT(least.energy_kept[0], 0.9);
  EXPECT_LT(least.bytes_per_token, whole.bytes_per_token);
}

TEST(MeasureRanks, UsualRanksHalveDownToOne) {
  EXPECT_EQ(usual_ranks(96), (std::vector<int>{96, 64, 32, 16, 8, 4, 2, 1}));
  EXPECT_EQ(usual_ranks(64), (std::vector<int>{64, 32, 16, 8, 4, 2, 1}));
  EXPECT_EQ(usual_ranks(1), (std::vector<int>{1}));
}

TEST(MeasureRanks, StopsAndRefuses) {
  std::mt19937 rng(23);
  const LoadedModel model = lens_model(Variant::mla, rng);
  const std::vector<int> tokens(20, 3);
  std::stop_source source;
  source.request_stop();
  EXPECT_EQ(run_held_out(model, tokens, 8, cpu(), {}, source.get_token()).error().message, "cancelled");
  EXPECT_EQ(run_held_out(model, std::span(tokens).first(1), 8, cpu()).error().message,
            "rank lens: the held-out text has 1 tokens, must have at least 2");
  LoadedModel vectors = model;
  vectors.experiment.spec.vocab_size = 0;
  EXPECT_EQ(run_held_out(vectors, tokens, 8, cpu()).error().message,
            "rank lens: the model has no vocabulary, so there is no distribution to compare");
}

}  // namespace
}  // namespace mla
