#include "core/analysis/coupled_rope.h"

#include <complex>

#include "core/attention/reference.h"
#include "core/attention/rope.h"
#include "tests/core/analysis/lens_models.h"

namespace mla {
namespace {

LoadedModel coupled_model(std::mt19937& rng) {
  LoadedModel model = lens_model(Variant::mla, rng);
  while (model.experiment.spec.attention.qk_nope_head_dim < 2) model = lens_model(Variant::mla, rng);
  return model;
}

std::vector<int> some_tokens(int count, std::mt19937& rng) {
  std::vector<int> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(int(rng() % 17));
  return tokens;
}

TEST(CoupledRope, DecoupledScoresAreThoseThatTheEngineRecords) {
  std::mt19937 rng(31);
  for (int trial = 0; trial < 12; ++trial) {
    const LoadedModel model = coupled_model(rng);
    const auto tokens = some_tokens(13, rng);
    auto decoder = Decoder::create(model.experiment, cpu(), model.weights);
    ASSERT_TRUE(decoder) << decoder.error().message;
    const auto trace = (*decoder)->prefill(tokens, kTraceAll);
    ASSERT_TRUE(trace) << trace.error().message;
    int compared = 0;
    for (int layer = 0; layer < model.experiment.layers; ++layer) {
      const auto got = coupled_rope(model, layer, tokens, cpu());
      ASSERT_TRUE(got) << got.error().message;
      for (const auto& row : trace->attention) {
        if (row->layer != layer) continue;
        for (int i = 0; i < row->heads * row->keys; ++i, ++compared) {
          const ScoreForms& forms = got->heads[i / row->keys].decoupled;
          const std::size_t at = std::size_t(row->query) * tokens.size() + i % row->keys;
          const double rope = row->scores_rope.empty() ? 0 : row->scores_rope[i];
          ASSERT_NEAR(forms.expanded[at], row->scores_nope[i] + rope, 2e-4);
          ASSERT_NEAR(forms.absorbed[at], row->scores_nope[i] + rope, 2e-4);
          ASSERT_NEAR(forms.expanded_weights[at], row->weights[i], 5e-5);
        }
      }
    }
    EXPECT_GT(compared, 0);
  }
}

TEST(CoupledRope, DecoupledFormsAgreeAndCoupledOnesDoNot) {
  std::mt19937 rng(32);
  for (int trial = 0; trial < 12; ++trial) {
    const LoadedModel model = coupled_model(rng);
    const auto got = coupled_rope(model, 0, some_tokens(11, rng), cpu());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_LT(got->largest_decoupled(), 1e-12);
    EXPECT_GT(got->largest_coupled(), 1e-2);
    EXPECT_EQ(got->heads[got->worst_head()].coupled.largest, got->largest_coupled());
    for (const CoupledHead& head : got->heads) {
      EXPECT_GT(head.coupled.mean, 0);
      EXPECT_LE(head.coupled.mean, head.coupled.largest);
      for (int i = 0; i < got->tokens; ++i)  // position 0 is not rotated, so there even the coupled forms agree
        EXPECT_NEAR(head.coupled.expanded[i * got->tokens], head.coupled.absorbed[i * got->tokens], 1e-5);
    }
  }
}

/// Coupled NoPE scores with pairs as complex numbers: turned by the distance, or by the query's position alone.
double by_complex_numbers(const ReferenceHead& head, const RopeSpec& rope, int n, int query, int key, double turn) {
  AttentionSpec columns;
  columns.rope = rope;
  columns.qk_rope_head_dim = n;
  const auto frequencies = rope_frequencies(columns);
  double sum = n % 2 ? head.q_nope[query * n + n - 1] * head.k_nope[key * n + n - 1] : 0;
  for (std::size_t p = 0; p < frequencies.size(); ++p) {
    const std::complex<double> q(head.q_nope[query * n + 2 * p], head.q_nope[query * n + 2 * p + 1]);
    const std::complex<double> k(head.k_nope[key * n + 2 * p], head.k_nope[key * n + 2 * p + 1]);
    sum += (q * std::conj(k) * std::polar(1.0, turn * frequencies[p])).real();
  }
  return sum;
}

TEST(CoupledRope, ExpandedTurnsByTheDistanceAndAbsorbedByTheQueryAlone) {
  std::mt19937 rng(33);
  for (int trial = 0; trial < 12; ++trial) {
    const LoadedModel model = coupled_model(rng);
    const ModelSpec& spec = model.experiment.spec;
    const int n = spec.attention.qk_nope_head_dim, r = spec.attention.qk_rope_head_dim, total = 9;
    const auto hidden = input_vectors(total, spec.attention.hidden_size, rng());
    const auto got = couple_rope(model, 0, hidden);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->rotated, n / 2 * 2);
    const ReferenceLayer layer = reference_layer(spec, model.weights->layers[0], hidden);
    for (std::size_t h = 0; h < got->heads.size(); ++h)
      for (int i = 0; i < total; ++i)
        for (int j = 0; j <= i; ++j) {
          double rope = 0;
          for (int x = 0; x < r; ++x) rope += layer.heads[h].q_rope[i * r + x] * layer.heads[h].k_rope[j * r + x];
          const double expanded = by_complex_numbers(layer.heads[h], spec.attention.rope, n, i, j, i - j);
          const double absorbed = by_complex_numbers(layer.heads[h], spec.attention.rope, n, i, j, i);
          const ScoreForms& forms = got->heads[h].coupled;
          ASSERT_NEAR(forms.expanded[i * total + j], (expanded + rope) * score_scale(spec), 1e-5);
          ASSERT_NEAR(forms.absorbed[i * total + j], (absorbed + rope) * score_scale(spec), 1e-5);
        }
  }
}

TEST(LayerInput, IsWhatTheLayersBeforeLeave) {
  std::mt19937 rng(34);
  for (int trial = 0; trial < 8; ++trial) {
    LoadedModel model = coupled_model(rng);
    while (model.experiment.layers < 2) model = coupled_model(rng);
    const auto tokens = some_tokens(7, rng);
    const auto embedded = layer_input(model, 0, tokens, cpu());
    ModelWeights first = *model.weights;
    first.layers.resize(1);
    const auto want = reference_forward(model.experiment.spec, first, *embedded);
    const auto got = layer_input(model, 1, tokens, cpu());
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_LT(relative_error(*got, want.hidden), 2e-5);
  }
}

TEST(CoupledRope, RefusesByName) {
  std::mt19937 rng(35);
  const std::vector<int> tokens{1, 2, 3};
  const auto message = [&](const LoadedModel& model, int layer) {
    return coupled_rope(model, layer, tokens, cpu()).error().message;
  };
  EXPECT_EQ(message(lens_model(Variant::mqa, rng), 0),
            "coupled RoPE: MQA has nothing to absorb, it takes an MLA model with NoPE keys");
  EXPECT_EQ(message(*load(toy_experiment()), 0),
            "coupled RoPE: MLA of the tutorial has no key up-projection, it takes an MLA model with NoPE keys");
  LoadedModel model = coupled_model(rng);
  EXPECT_EQ(message(model, 7), "coupled RoPE: layer is 7: must be from 0 to " + std::to_string(model.experiment.layers - 1));
  const std::vector<int> wrong{99};
  EXPECT_EQ(coupled_rope(model, 0, wrong, cpu()).error().message, "coupled RoPE: token 99: the vocabulary has 17 ids");
  model.experiment.spec.attention.qk_nope_head_dim = 1;
  EXPECT_EQ(message(model, 0), "coupled RoPE: qk_nope_head_dim is 1: must be at least 2, RoPE turns pairs");
}

}  // namespace
}  // namespace mla
