// What must hold for every dimension a slider can reach.
#include "core/analysis/cost.h"
#include "core/analysis/memory.h"
#include "core/attention/reference.h"
#include "core/cache/kv_cache.h"
#include "tests/core/engine/engine_run.h"

namespace mla {
namespace {

constexpr double kTolerance = 2e-5;

std::string shape_of(const Experiment& e) {
  const AttentionSpec& a = e.spec.attention;
  return describe(e) + " H" + std::to_string(a.num_attention_heads) + " n" + std::to_string(a.qk_nope_head_dim) + " r" +
         std::to_string(a.qk_rope_head_dim) + " v" + std::to_string(a.v_head_dim) + " c" + std::to_string(a.kv_lora_rank) +
         " cq" + std::to_string(a.q_lora_rank) + " seed " + std::to_string(e.seed);
}

void expect_matches_reference(const Experiment& e, const EngineRun& run, const std::vector<float>& x) {
  ASSERT_TRUE(run.decoder);
  // Beside int8 weights one row is rounded to 16 bits.
  const double loose = e.weights_dtype == WeightsDtype::int8 ? 20 : 1, tolerance = loose * kTolerance;
  const int d = e.spec.attention.hidden_size, total = int(x.size()) / d;
  const ReferenceOutput want = reference_forward(e.spec, *run.weights, x);
  EXPECT_LT(relative_error(run.decoder->outputs(), want.hidden), tolerance) << shape_of(e);
  const auto rows = run.rows();
  ASSERT_EQ(rows.size(), std::size_t(total * e.layers));
  for (const AttentionRow* row : rows)
    for (int h = 0; h < row->heads; ++h) {
      double sum = 0;
      for (int k = 0; k < row->keys; ++k) {
        const std::size_t at = std::size_t(h) * row->keys + k, cell = std::size_t(row->query) * total + k;
        sum += row->weights[at];
        ASSERT_NEAR(row->weights[at], want.weights[row->layer][h][cell], tolerance) << shape_of(e);
        ASSERT_NEAR(row->scores_nope[at], want.scores_nope[row->layer][h][cell], loose * 1e-4) << shape_of(e);
        const double rope = row->scores_rope.empty() ? 0 : row->scores_rope[at];
        ASSERT_NEAR(rope, want.scores_rope[row->layer][h][cell], loose * 1e-4) << shape_of(e);
      }
      ASSERT_NEAR(sum, 1, 1e-5);
    }
  for (std::size_t l = 0; l < want.latents.size(); ++l)
    EXPECT_LT(relative_error(run.decoder->executor().cache_rows(int(l)), want.latents[l]), tolerance) << shape_of(e);
}

/// Equal, but for how many different experts several rows of a pass use: at least as many as one row does, at most all that
/// they could.
void expect_weight_bytes(const Experiment& e, int cached, std::int64_t got, std::int64_t want) {
  const bool one_row = e.batch == 1 && (e.path != AttentionPath::uncached || cached == 0);
  if (!e.spec.moe || one_row) {
    EXPECT_EQ(got, want) << shape_of(e);
    return;
  }
  const MoeSpec& moe = *e.spec.moe;
  const int rows = e.batch * (e.path == AttentionPath::uncached ? cached + 1 : 1);
  const std::int64_t spread = std::min(moe.n_routed_experts, rows * moe.num_experts_per_tok) - moe.num_experts_per_tok;
  EXPECT_LE(std::abs(got - want), spread * 12 * e.spec.attention.hidden_size * moe.moe_intermediate_size * e.layers)
      << shape_of(e);
}

class Invariants : public testing::TestWithParam<Variant> {};

/// A few vectors on every path of the variant, in one pass, one by one, and in several.
void expect_every_path_matches(Experiment e, std::mt19937& rng) {
  const auto x = input_vectors(2 + int(rng() % 12), e.spec.attention.hidden_size, rng());
  for (AttentionPath path : paths_of(e.spec.attention.variant)) {
    e.path = path;
    for (const std::vector<int>& passes : {std::vector<int>{1000}, {1}, {3, 2, 1}})
      expect_matches_reference(e, run_vectors(e, x, passes), x);
  }
}

// Expanded = re-expanded = absorbed = uncached = the plain computation in double precision; prefill = step by step.
TEST_P(Invariants, EveryPathInAnyPassesMatchesTheReference) {
  std::mt19937 rng(unsigned(GetParam()) + 11);
  for (int trial = 0; trial < 25; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    ASSERT_TRUE(validate(e)) << validate(e).error().message << shape_of(e);
    expect_every_path_matches(e, rng);
  }
}

TEST_P(Invariants, LongHistoriesOverManyBlocksMatchToo) {
  std::mt19937 rng(unsigned(GetParam()) + 5);
  for (int trial = 0; trial < 3; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    const auto x = input_vectors(150 + 67 * trial, e.spec.attention.hidden_size, rng());
    for (AttentionPath path : paths_of(GetParam())) {
      e.path = path;
      expect_matches_reference(e, run_vectors(e, x, {130, 1}), x);
    }
  }
}

// What the formulas say is what the engine allocates, executes and reads.
TEST_P(Invariants, CostAndMemoryFormulasAreWhatHappens) {
  std::mt19937 rng(unsigned(GetParam()) + 23);
  for (int trial = 0; trial < 40; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    e.batch = 1 + int(rng() % 3);
    e.cache_dtype = CacheDtype(rng() % 5);
    e.weights_dtype = WeightsDtype(rng() % 3);
    const auto paths = paths_of(GetParam());
    e.path = paths[rng() % paths.size()];
    const auto model = load(e);
    ASSERT_TRUE(model) << model.error().message;
    EXPECT_EQ(model->weights->bytes(), weight_bytes(e));
    auto decoder = Decoder::create(e, cpu(), model->weights);
    ASSERT_TRUE(decoder) << decoder.error().message;
    const int first = int(rng() % 9);
    for (int i = 0; i < first; ++i) ASSERT_TRUE((*decoder)->step());
    const auto step = (*decoder)->step();
    ASSERT_TRUE(step) << step.error().message;
    const Work want = decode_cost(e, first).total();
    EXPECT_EQ(step->work.operations, want.operations) << shape_of(e);
    expect_weight_bytes(e, first, step->work.weight_bytes, want.weight_bytes);
    EXPECT_EQ(step->work.cache_read_bytes, want.cache_read_bytes) << shape_of(e);
    EXPECT_EQ(step->work.cache_write_bytes, want.cache_write_bytes) << shape_of(e);
    const std::int64_t row = cache_bytes_per_token(e.spec, e.path, e.cache_dtype, e.layers) * e.batch;
    EXPECT_EQ(step->cache_bytes, row * (first + 1)) << shape_of(e);
    const int block = KvCache::kBlockTokens;
    EXPECT_EQ(step->cache_allocated_bytes, row == 0 ? 0 : row * ((first + block) / block * block)) << shape_of(e);
  }
}

// Narrow weights on every path and at any pass size: the reference computes with the same rounded values.
TEST_P(Invariants, NarrowWeightsMatchTheReferenceOfTheirValues) {
  std::mt19937 rng(unsigned(GetParam()) + 71);
  for (int trial = 0; trial < 8; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    e.weights_dtype = trial % 2 ? WeightsDtype::int8 : WeightsDtype::bf16;
    expect_every_path_matches(e, rng);
  }
}

// Of a prompt, too, in one chunk or several, with and without the outputs that nobody asked for.
TEST_P(Invariants, PrefillFormulaIsWhatHappens) {
  std::mt19937 rng(unsigned(GetParam()) + 31);
  for (int trial = 0; trial < 30; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    e.spec.moe.reset();  // which experts many rows share is nobody's formula
    e.batch = 1 + int(rng() % 2);
    e.cache_dtype = CacheDtype(rng() % 5);
    e.weights_dtype = WeightsDtype(rng() % 3);
    const auto paths = paths_of(GetParam());
    e.path = paths[rng() % paths.size()];
    const auto model = load(e);
    ASSERT_TRUE(model) << model.error().message;
    auto executor = cpu().create(e, model->weights);
    ASSERT_TRUE(executor) << executor.error().message;
    const int count = 1 + int(rng() % 390u);
    const std::vector<int> tokens(std::size_t(count) * e.batch, 3);
    ForwardInput input;
    input.tokens = tokens;
    input.count = count;
    input.all_outputs = rng() % 2;
    const auto output = (*executor)->forward(input);
    ASSERT_TRUE(output) << output.error().message;
    const Work got = output->trace.work, want = prefill_cost(e, count, input.all_outputs).total();
    const std::string shape = shape_of(e) + " tokens " + std::to_string(count);
    EXPECT_EQ(got.operations, want.operations) << shape;
    EXPECT_EQ(got.weight_bytes, want.weight_bytes) << shape;
    EXPECT_EQ(got.cache_read_bytes, want.cache_read_bytes) << shape;
    EXPECT_EQ(got.cache_write_bytes, want.cache_write_bytes) << shape;
  }
}

// Scores from RoPE depend on the distance between query and key alone.
TEST_P(Invariants, RopeScoresDependOnTheDistanceOnly) {
  std::mt19937 rng(unsigned(GetParam()) + 31);
  for (int trial = 0; trial < 10; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    e.layers = e.spec.num_hidden_layers = 1;
    if (e.spec.attention.qk_rope_head_dim == 0) continue;
    const int d = e.spec.attention.hidden_size, total = 12;
    const auto one = input_vectors(1, d, rng());
    std::vector<float> x;
    for (int i = 0; i < total; ++i) x.insert(x.end(), one.begin(), one.end());
    const EngineRun run = run_vectors(e, x, {total});
    ASSERT_TRUE(run.decoder);
    const auto rows = run.rows();
    const AttentionRow& last = *rows.back();
    const double range = std::max(1e-3, largest(last.scores_rope));
    for (const AttentionRow* row : rows)
      for (int h = 0; h < row->heads; ++h)
        for (int k = 0; k < row->keys; ++k)
          ASSERT_NEAR(row->scores_rope[h * row->keys + k], last.scores_rope[h * total + total - 1 - (row->query - k)],
                      1e-5 * range + 1e-6)
              << shape_of(e);
  }
}

// 16-bit caches differ from fp32 by no more than their rounding carries through.
TEST_P(Invariants, SixteenBitCachesStayWithinTheirRounding) {
  std::mt19937 rng(unsigned(GetParam()) + 47);
  for (int trial = 0; trial < 8; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    e.layers = e.spec.num_hidden_layers = 1;
    const auto x = input_vectors(20, e.spec.attention.hidden_size, rng());
    const EngineRun exact = run_vectors(e, x, {1});
    double last = 0;
    for (CacheDtype dtype : {CacheDtype::fp16, CacheDtype::bf16}) {
      e.cache_dtype = dtype;
      const EngineRun rounded = run_vectors(e, x, {1});
      ASSERT_TRUE(rounded.decoder);
      const double unit = dtype == CacheDtype::fp16 ? 0x1p-11 : 0x1p-8;
      const double error = relative_error(rounded.decoder->outputs(), exact.decoder->outputs());
      EXPECT_GT(error, 0) << shape_of(e);
      EXPECT_LT(error, 30 * unit) << shape_of(e);
      last = error;
    }
    EXPECT_GT(last, 0);
  }
}

// The same bits whatever the number of threads.
TEST_P(Invariants, ThreadsChangeNothing) {
  std::mt19937 rng(unsigned(GetParam()) + 61);
  for (int trial = 0; trial < 5; ++trial) {
    Experiment e = random_small(GetParam(), rng);
    const auto x = input_vectors(100, e.spec.attention.hidden_size, rng());
    for (AttentionPath path : paths_of(GetParam())) {
      e.path = path;
      e.threads = 1;
      const EngineRun one = run_vectors(e, x, {40, 7, 1});
      e.threads = 3;
      const EngineRun three = run_vectors(e, x, {40, 7, 1});
      ASSERT_TRUE(one.decoder && three.decoder);
      EXPECT_EQ(one.decoder->outputs(), three.decoder->outputs()) << shape_of(e);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, Invariants, testing::Values(Variant::mla, Variant::mha, Variant::gqa, Variant::mqa),
                         [](const auto& variant) { return std::string(name_of(variant.param)); });

TEST(ToyBlock, EveryPathMatchesTheReference) {
  std::mt19937 rng(3);
  for (const auto& [d, heads, latent] : {std::tuple{24, 6, 3}, {32, 8, 4}, {30, 5, 1}, {16, 1, 20}}) {
    Experiment e = toy_experiment(d, heads, latent);
    const auto x = input_vectors(9, d, rng());
    for (AttentionPath path : paths_of(Variant::mla)) {
      e.path = path;
      for (const std::vector<int>& passes : {std::vector<int>{1000}, {1}})
        expect_matches_reference(e, run_vectors(e, x, passes), x);
    }
  }
}

}  // namespace
}  // namespace mla
