// The rank lens on checkpoints as they are read from disk: YaRN, q-LoRA, odd heads, elastic.
#include <gtest/gtest.h>

#include "core/analysis/coupled_rope.h"
#include "core/analysis/rank_lens.h"
#include "tests/core/engine/engine_run.h"
#include "tests/core/model/golden_run.h"

namespace mla {
namespace {

class RankLensGolden : public testing::TestWithParam<std::string> {};

TEST_P(RankLensGolden, FullRankChangesNothingOnAnyPath) {
  const std::string folder = golden_folder(GetParam());
  const Result<LoadedCheckpoint> full = load_checkpoint(folder);
  ASSERT_TRUE(full) << full.error().message;
  const auto factors = factor_latent(full->spec, *full->weights);
  ASSERT_TRUE(factors) << factors.error().message;
  EXPECT_EQ((*factors)->full_rank(), full->spec.attention.kv_lora_rank);
  const auto truncated = truncate_latent(*full->weights, **factors, (*factors)->full_rank());
  ASSERT_TRUE(truncated) << truncated.error().message;
  for (const AttentionPath path : paths_of(Variant::mla)) {
    const auto want = run_model(folder, *full, path, Feed::one_pass);
    const auto got = run_model(folder, {truncated->spec, truncated->weights}, path, Feed::mixed);
    ASSERT_TRUE(want) << want.error().message;
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_LT(relative_error(got->decoder->outputs(), want->decoder->outputs()), 2e-5);
  }
}

TEST_P(RankLensGolden, CoupledRopeBreaksAbsorptionInEveryLayer) {
  const Result<LoadedCheckpoint> checkpoint = load_checkpoint(golden_folder(GetParam()));
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  Experiment experiment;
  experiment.spec = checkpoint->spec;
  experiment.layers = checkpoint->spec.num_hidden_layers;
  const LoadedModel model{experiment, checkpoint->weights, Vocabulary()};
  const GoldenInput input = *read_golden_input(golden_folder(GetParam()), checkpoint->spec);
  for (int layer = 0; layer < experiment.layers; ++layer) {
    const auto rope = coupled_rope(model, layer, input.tokens, cpu());
    ASSERT_TRUE(rope) << rope.error().message;
    EXPECT_LT(rope->largest_decoupled(), 1e-12);
    EXPECT_GT(rope->largest_coupled(), 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, RankLensGolden,
                         testing::Values("mla-plain", "mla-q-lora", "mla-yarn", "mla-odd", "elastic"), [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

}  // namespace
}  // namespace mla
