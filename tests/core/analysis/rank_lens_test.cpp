#include "core/analysis/rank_lens.h"

#include <Eigen/Dense>
#include <numeric>

#include "core/analysis/cost.h"
#include "core/analysis/memory.h"
#include "core/attention/reference.h"
#include "tests/core/analysis/lens_models.h"

namespace mla {
namespace {

using Matrix = Eigen::MatrixXd;

Matrix matrix(const Weight& w) {
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(w.data(), w.rows, w.cols).cast<double>();
}

const Weight& norm_of(const LayerWeights& layer) {
  return layer.attention.k_proj.weight ? layer.input_norm : layer.attention.kv_a_layernorm;
}

/// The weights whose rows M is made of, without the norm.
Matrix projections(const LayerWeights& layer) {
  const AttentionWeights& w = layer.attention;
  if (!w.k_proj.weight) return matrix(w.kv_b_proj.weight);
  Matrix both(w.k_proj.weight.rows + w.v_proj.weight.rows, w.k_proj.weight.cols);
  both << matrix(w.k_proj.weight), matrix(w.v_proj.weight);
  return both;
}

Matrix joint_map(const LayerWeights& layer) { return projections(layer) * matrix(norm_of(layer)).col(0).asDiagonal(); }

Matrix best(const Matrix& m, int rank) {
  const Eigen::JacobiSVD<Matrix> svd(m, Eigen::ComputeThinU | Eigen::ComputeThinV);
  return svd.matrixU().leftCols(rank) * svd.singularValues().head(rank).asDiagonal() *
         svd.matrixV().leftCols(rank).transpose();
}

Weight weight_of(const Weight& like, const Matrix& values) {
  auto buffer = std::make_shared<Buffer<float>>(std::size_t(values.size()));
  for (int i = 0; i < values.rows(); ++i)
    for (int j = 0; j < values.cols(); ++j) (*buffer)[std::size_t(i) * values.cols() + j] = float(values(i, j));
  return {like.name, int(values.rows()), int(values.cols()), buffer, 0};
}

/// The plain way to truncate: the same model, its projections replaced by M_k diag(1 / g).
ModelWeights plainly_truncated(const ModelWeights& weights, int rank) {
  ModelWeights out = weights;
  for (LayerWeights& layer : out.layers) {
    AttentionWeights& w = layer.attention;
    const Matrix m = best(joint_map(layer), rank) * matrix(norm_of(layer)).col(0).cwiseInverse().asDiagonal();
    if (w.k_proj.weight) {
      w.k_proj.weight = weight_of(w.k_proj.weight, m.topRows(w.k_proj.weight.rows));
      w.v_proj.weight = weight_of(w.v_proj.weight, m.bottomRows(w.v_proj.weight.rows));
    } else {
      w.kv_b_proj.weight = weight_of(w.kv_b_proj.weight, m);
    }
  }
  return out;
}

class RankLens : public testing::TestWithParam<Variant> {};

TEST_P(RankLens, EveryRankMatchesThePlainComputationOnEveryPath) {
  std::mt19937 rng(unsigned(GetParam()) + 3);
  for (int trial = 0; trial < 12; ++trial) {
    const LoadedModel model = lens_model(GetParam(), rng);
    const auto factors = factor_latent(model.experiment.spec, *model.weights, 2);
    ASSERT_TRUE(factors) << factors.error().message;
    const auto x = input_vectors(9, model.experiment.spec.attention.hidden_size, rng());
    for (const int rank : {1, ((*factors)->full_rank() + 1) / 2, (*factors)->full_rank()}) {
      if (rank > joint_map(model.weights->layers[0]).rows()) continue;
      const auto truncated = truncate_latent(*model.weights, **factors, rank, 2);
      ASSERT_TRUE(truncated) << truncated.error().message;
      const ReferenceOutput want = reference_forward(model.experiment.spec, plainly_truncated(*model.weights, rank), x);
      for (const AttentionPath path : paths_of(GetParam())) {
        const auto decoder = run_truncated(model, *truncated, path, x);
        ASSERT_TRUE(decoder);
        EXPECT_LT(relative_error(decoder->outputs(), want.hidden), 5e-5)
            << "rank " << rank << " of c " << (*factors)->full_rank();
      }
    }
  }
}

TEST_P(RankLens, AtFullRankNothingChanges) {
  std::mt19937 rng(unsigned(GetParam()) + 17);
  for (int trial = 0; trial < 12; ++trial) {
    const LoadedModel model = lens_model(GetParam(), rng);
    const auto factors = factor_latent(model.experiment.spec, *model.weights);
    ASSERT_TRUE(factors) << factors.error().message;
    const auto truncated = truncate_latent(*model.weights, **factors, (*factors)->full_rank());
    ASSERT_TRUE(truncated) << truncated.error().message;
    const auto x = input_vectors(8, model.experiment.spec.attention.hidden_size, rng());
    const ReferenceOutput want = reference_forward(model.experiment.spec, *model.weights, x);
    for (const AttentionPath path : paths_of(GetParam())) {
      const auto decoder = run_truncated(model, *truncated, path, x);
      ASSERT_TRUE(decoder);
      EXPECT_LT(relative_error(decoder->outputs(), want.hidden), 2e-5);
    }
    for (const double kept : truncated->energy_kept) EXPECT_NEAR(kept, 1, 1e-12);
  }
}

TEST_P(RankLens, EnergyKeptIsWhatTheTruncationLeavesOfTheMatrix) {
  std::mt19937 rng(unsigned(GetParam()) + 29);
  for (int trial = 0; trial < 4; ++trial) {
    const LoadedModel model = lens_model(GetParam(), rng);
    const auto factors = factor_latent(model.experiment.spec, *model.weights);
    ASSERT_TRUE(factors) << factors.error().message;
    for (int l = 0; l < int(model.weights->layers.size()); ++l) {
      const Matrix m = joint_map(model.weights->layers[l]);
      const LayerFactors& layer = (*factors)->layers[l];
      EXPECT_LT((m - matrix(layer.left) * matrix(layer.right)).norm(), 1e-5 * m.norm());
      double last = 0;
      for (int rank = 1; rank <= std::min<int>((*factors)->full_rank(), int(m.rows())); ++rank) {
        const double kept = (*factors)->energy_kept(l, rank);
        const Matrix mine = matrix(layer.left).leftCols(rank) * matrix(layer.right).topRows(rank);
        EXPECT_NEAR(kept, 1 - (m - mine).squaredNorm() / m.squaredNorm(), 1e-6);
        EXPECT_NEAR(kept, 1 - (m - best(m, rank)).squaredNorm() / m.squaredNorm(), 1e-10);
        EXPECT_GE(kept, last);
        last = kept;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, RankLens, testing::Values(Variant::mla, Variant::mha, Variant::gqa, Variant::mqa),
                         [](const auto& variant) { return std::string(name_of(variant.param)); });

TEST(RankLensCache, HoldsRankValuesAndTheRopeKeyAndCostsWhatTheFormulasSay) {
  std::mt19937 rng(5);
  for (int trial = 0; trial < 10; ++trial) {
    LoadedModel model = lens_model(Variant::mla, rng);
    const int c = model.experiment.spec.attention.kv_lora_rank, rank = 1 + int(rng() % c);
    const auto factors = factor_latent(model.experiment.spec, *model.weights);
    const auto truncated = truncate_latent(*model.weights, **factors, rank);
    ASSERT_TRUE(truncated) << truncated.error().message;
    EXPECT_EQ(truncated->stored_values, rank + model.experiment.spec.attention.qk_rope_head_dim);
    Experiment e = model.experiment;
    e.spec = truncated->spec;
    e.path = trial % 2 ? AttentionPath::absorbed : AttentionPath::reexpanded;
    ASSERT_TRUE(validate(e)) << validate(e).error().message;
    auto decoder = Decoder::create(e, cpu(), truncated->weights);
    ASSERT_TRUE(decoder) << decoder.error().message;
    ASSERT_TRUE((*decoder)->step());
    const auto step = (*decoder)->step();
    ASSERT_TRUE(step) << step.error().message;
    EXPECT_EQ((*decoder)->executor().cache_rows(0).size(), 2u * truncated->stored_values);
    EXPECT_EQ(step->cache_bytes, 2ll * 4 * e.layers * truncated->stored_values);
    const Work want = decode_cost(e, 1).total();
    EXPECT_EQ(step->work.operations, want.operations);
    EXPECT_EQ(step->work.weight_bytes, want.weight_bytes);
    EXPECT_EQ(step->work.cache_read_bytes, want.cache_read_bytes);
    EXPECT_EQ(step->work.cache_write_bytes, want.cache_write_bytes);
  }
}

TEST(RankLensWeights, WhatDoesNotChangeIsShared) {
  std::mt19937 rng(6);
  const LoadedModel model = lens_model(Variant::mla, rng);
  const auto factors = factor_latent(model.experiment.spec, *model.weights);
  const auto truncated = truncate_latent(*model.weights, **factors, 1);
  EXPECT_EQ(truncated->weights->embed_tokens.values, model.weights->embed_tokens.values);
  EXPECT_EQ(truncated->weights->layers[0].attention.kv_a_proj.weight.values,
            model.weights->layers[0].attention.kv_a_proj.weight.values);
  EXPECT_NE(truncated->weights->layers[0].attention.kv_b_proj.weight.values,
            model.weights->layers[0].attention.kv_b_proj.weight.values);
}

TEST(RankLensFactors, ProgressRisesToOneAndCanBeStopped) {
  std::mt19937 rng(8);
  const LoadedModel model = lens_model(Variant::mla, rng);
  double last = 0;
  ASSERT_TRUE(factor_latent(model.experiment.spec, *model.weights, 1, [&](double fraction) {
    EXPECT_GE(fraction, last);
    last = fraction;
  }));
  EXPECT_DOUBLE_EQ(last, 1);
  std::stop_source source;
  const auto stopped = factor_latent(
      model.experiment.spec, *model.weights, 1, [&](double) { source.request_stop(); }, source.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().message, "cancelled");
}

TEST(RankLensFactors, ThreadsChangeNothing) {
  std::mt19937 rng(9);
  const LoadedModel model = lens_model(Variant::mla, rng);
  const auto one = factor_latent(model.experiment.spec, *model.weights, 1);
  const auto three = factor_latent(model.experiment.spec, *model.weights, 3);
  for (std::size_t l = 0; l < (*one)->layers.size(); ++l) {
    const Weight &a = (*one)->layers[l].left, &b = (*three)->layers[l].left;
    EXPECT_TRUE(std::equal(a.data(), a.data() + a.values->size(), b.data()));
  }
}

TEST(RankLensFactors, WhatItCannotDoIsRefusedByName) {
  std::mt19937 rng(10);
  const auto toy = load(toy_experiment());
  EXPECT_EQ(factor_latent(toy->experiment.spec, *toy->weights).error().message,
            "rank lens: the tutorial's block has no key projection to decompose, its keys are the latent itself");
  LoadedModel model = lens_model(Variant::mla, rng);
  const int c = model.experiment.spec.attention.kv_lora_rank;
  const auto factors = factor_latent(model.experiment.spec, *model.weights);
  EXPECT_EQ(truncate_latent(*model.weights, **factors, 0).error().message,
            "rank lens: rank is 0: must be from 1 to " + std::to_string(c));
  EXPECT_FALSE(truncate_latent(*model.weights, **factors, c + 1));
  const auto truncated = truncate_latent(*model.weights, **factors, 1);
  EXPECT_EQ(factor_latent(truncated->spec, *truncated->weights).error().message,
            "rank lens: trained_kv_lora_rank is " + std::to_string(c) +
                ": this model is truncated already, begin with the trained one");
}

}  // namespace
}  // namespace mla
