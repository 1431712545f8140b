#include "core/spec/presets.h"

#include <gtest/gtest.h>

namespace mla {
namespace {

struct Grouped {
  const char* name;
  int layers, hidden, heads, groups, head_dim, positions;
  double theta;
};
struct Latent {
  const char* name;
  int layers, hidden, heads, q_rank, rank, nope, rope, value, positions;
  double theta;
};

TEST(Presets, AreAllThereInOrder) {
  const std::vector<std::string> names{"llama-2-7b",  "llama-3-8b",       "llama-3-70b", "mistral-7b",
                                       "qwen2.5-7b",  "deepseek-v2-lite", "deepseek-v2", "deepseek-v3",
                                       "kimi-k2",     "glm-4.7-flash",    "glm-5",       "mistral-small-4",
                                       "minicpm3-4b", "longcat-flash",    "tutorial"};
  ASSERT_EQ(presets().size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) EXPECT_EQ(presets()[i].name, names[i]);
}

TEST(Presets, GroupedOnesAreAsPublished) {
  for (const Grouped& row : {Grouped{"llama-2-7b", 32, 4096, 32, 32, 128, 4096, 1e4},
                             {"llama-3-8b", 32, 4096, 32, 8, 128, 8192, 5e5},
                             {"llama-3-70b", 80, 8192, 64, 8, 128, 8192, 5e5},
                             {"mistral-7b", 32, 4096, 32, 8, 128, 32768, 1e4},
                             {"qwen2.5-7b", 28, 3584, 28, 4, 128, 131072, 1e6}}) {
    const ModelSpec spec = find_preset(row.name)->spec;
    const AttentionSpec expected{row.heads == row.groups ? Variant::mha : Variant::gqa,
                                 row.hidden,
                                 row.heads,
                                 row.groups,
                                 0,
                                 row.head_dim,
                                 row.head_dim,
                                 0,
                                 0,
                                 {row.theta, {}}};
    EXPECT_EQ(spec.attention, expected) << row.name;
    EXPECT_EQ(spec.num_hidden_layers, row.layers);
    EXPECT_EQ(spec.max_position_embeddings, row.positions);
  }
}

TEST(Presets, LatentOnesAreAsPublished) {
  for (const Latent& row : {Latent{"deepseek-v2-lite", 27, 2048, 16, 0, 512, 128, 64, 128, 163840, 1e4},
                            {"deepseek-v2", 60, 5120, 128, 1536, 512, 128, 64, 128, 163840, 1e4},
                            {"deepseek-v3", 61, 7168, 128, 1536, 512, 128, 64, 128, 163840, 1e4},
                            {"kimi-k2", 61, 7168, 64, 1536, 512, 128, 64, 128, 131072, 5e4},
                            {"glm-4.7-flash", 47, 2048, 20, 768, 512, 192, 64, 256, 202752, 1e6},
                            {"glm-5", 78, 6144, 64, 2048, 512, 192, 64, 256, 202752, 1e6},
                            {"mistral-small-4", 36, 4096, 32, 1024, 256, 64, 64, 128, 1048576, 1e4},
                            {"minicpm3-4b", 62, 2560, 40, 768, 256, 64, 32, 64, 32768, 1e4},
                            {"longcat-flash", 56, 6144, 64, 1536, 512, 128, 64, 128, 131072, 1e7}}) {
    const ModelSpec spec = find_preset(row.name)->spec;
    AttentionSpec expected{Variant::mla, row.hidden, row.heads, row.heads,  row.nope,
                           row.rope,     row.value,  row.rank,  row.q_rank, {row.theta, spec.attention.rope.yarn}};
    EXPECT_EQ(spec.attention, expected) << row.name;
    EXPECT_EQ(spec.num_hidden_layers, row.layers);
    EXPECT_EQ(spec.max_position_embeddings, row.positions);
  }
}

TEST(Presets, YarnIsAsDeepSeekConfiguresIt) {
  const auto yarn = [](const char* name) { return find_preset(name)->spec.attention.rope.yarn; };
  EXPECT_EQ(yarn("deepseek-v2-lite"), (Yarn{40, 4096, 32, 1, 0.707, 0.707}));
  EXPECT_EQ(yarn("deepseek-v2"), (Yarn{40, 4096, 32, 1, 0.707, 0.707}));
  EXPECT_EQ(yarn("deepseek-v3"), (Yarn{40, 4096, 32, 1, 1, 1}));
  EXPECT_EQ(yarn("kimi-k2"), (Yarn{32, 4096, 1, 1, 1, 1}));
  EXPECT_EQ(yarn("llama-3-8b"), std::nullopt);
}

TEST(Presets, RunAttentionOnlyExceptTheTutorials) {
  for (const Preset& preset : presets()) {
    const bool toy = preset.name == "tutorial";
    EXPECT_EQ(preset.spec.block, toy ? BlockKind::toy : BlockKind::attention);
    EXPECT_EQ(preset.spec.vocab_size, toy ? 0 : 256);
    EXPECT_EQ(preset.spec.intermediate_size, toy ? 16384 : 0);
    EXPECT_FALSE(preset.title.empty());
  }
  const AttentionSpec toy = find_preset("tutorial")->spec.attention;
  EXPECT_EQ(toy, (AttentionSpec{Variant::mla, 4096, 128, 128, 4, 0, 32, 4, 12, {}}));
}

TEST(Presets, StartOneLayerOnTheirNaturalPath) {
  for (const Preset& preset : presets()) {
    const Experiment e = experiment_from(preset);
    EXPECT_TRUE(validate(e)) << preset.name;
    EXPECT_EQ(e.preset, preset.name);
    EXPECT_EQ(e.layers, 1);
    EXPECT_EQ(e.path, preset.spec.attention.is_mla() ? AttentionPath::absorbed : AttentionPath::expanded);
    EXPECT_EQ(e.context, 4096);
  }
}

TEST(Presets, AnUnknownOneIsNamedBesideTheKnown) {
  const auto found = find_preset("gpt-9");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().message.rfind("preset gpt-9 is not known; there are llama-2-7b, ", 0), 0u);
}

}  // namespace
}  // namespace mla
