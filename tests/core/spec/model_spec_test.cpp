#include "core/spec/model_spec.h"
#include "core/spec/parameters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "core/spec/presets.h"

namespace mla {
namespace {

TEST(ModelSpec, NamesReadBack) {
  for (const Variant v : {Variant::mla, Variant::mha, Variant::gqa, Variant::mqa}) EXPECT_EQ(*parse_variant(name_of(v)), v);
  for (const AttentionPath p : paths_of(Variant::mla)) EXPECT_EQ(*parse_path(name_of(p)), p);
  for (const CacheDtype d : {CacheDtype::fp32, CacheDtype::fp16, CacheDtype::bf16, CacheDtype::fp8, CacheDtype::int8})
    EXPECT_EQ(*parse_cache_dtype(name_of(d)), d);
  for (const BlockKind b : {BlockKind::attention, BlockKind::decoder, BlockKind::toy})
    EXPECT_EQ(*parse_block(name_of(b)), b);
}

TEST(ModelSpec, UnknownNamesAreListedAndPlannedOnesSaidToBe) {
  EXPECT_EQ(parse_variant("foo").error().message, "variant foo is not known; there are mla, mha, gqa, mqa");
  EXPECT_EQ(parse_variant("tpa").error().message, "variant tpa is not built yet; there are mla, mha, gqa, mqa");
  EXPECT_EQ(parse_cache_dtype("fp4").error().message, "cache-dtype fp4 is not known; there are fp32, fp16, bf16, fp8, int8");
  EXPECT_FALSE(parse_path("Absorbed"));
}

TEST(ModelSpec, DefaultGroupsAreTheLargestDivisorUpToEight) {
  EXPECT_EQ(default_groups(128), 8);
  EXPECT_EQ(default_groups(28), 7);
  EXPECT_EQ(default_groups(20), 5);
  EXPECT_EQ(default_groups(9), 3);
  EXPECT_EQ(default_groups(11), 1);
  EXPECT_EQ(default_groups(1), 1);
}

TEST(WithVariant, FromLatentToGroups) {
  const ModelSpec v2 = find_preset("deepseek-v2")->spec;
  for (const auto& [variant, groups] : {std::pair{Variant::mha, 128}, {Variant::gqa, 8}, {Variant::mqa, 1}}) {
    const ModelSpec spec = with_variant(v2, variant);
    const AttentionSpec& a = spec.attention;
    EXPECT_EQ(a.variant, variant);
    EXPECT_EQ(a.num_key_value_heads, groups);
    EXPECT_EQ(a.head_dim(), 128);
    EXPECT_EQ(a.qk_rope_head_dim, 128);
    EXPECT_EQ(a.v_head_dim, 128);
    EXPECT_EQ(a.kv_lora_rank + a.q_lora_rank, 0);
    EXPECT_TRUE(validate(spec));
  }
}

TEST(WithVariant, FromGroupsToLatent) {
  const ModelSpec spec = with_variant(find_preset("llama-3-8b")->spec, Variant::mla);
  const AttentionSpec& a = spec.attention;
  EXPECT_EQ(a.kv_lora_rank, 512);
  EXPECT_EQ(a.q_lora_rank, 0);
  EXPECT_EQ(a.qk_nope_head_dim, 128);
  EXPECT_EQ(a.qk_rope_head_dim, 64);
  EXPECT_EQ(a.v_head_dim, 128);
  EXPECT_EQ(a.num_key_value_heads, 32);
  EXPECT_TRUE(validate(spec));
}

TEST(WithVariant, EveryPresetCanBecomeEveryVariantAndKeepsWhatItIs) {
  for (const Preset& preset : presets()) {
    for (const Variant variant : {Variant::mla, Variant::mha, Variant::gqa, Variant::mqa}) {
      const ModelSpec spec = with_variant(preset.spec, variant);
      const bool valid = preset.spec.block == BlockKind::toy || bool(validate(spec));
      EXPECT_TRUE(valid) << preset.name << " " << name_of(variant);
      EXPECT_EQ(spec == preset.spec, variant == preset.spec.attention.variant);
      EXPECT_EQ(spec.attention.hidden_size, preset.spec.attention.hidden_size);
      EXPECT_EQ(spec.attention.num_attention_heads, preset.spec.attention.num_attention_heads);
    }
  }
}

TEST(WithVariant, AnOddHeadKeepsOneDimensionWithoutRope) {
  ModelSpec spec;
  spec.attention.v_head_dim = 7;
  const ModelSpec mha = with_variant(spec, Variant::mha);
  EXPECT_EQ(mha.attention.qk_rope_head_dim, 6);
  EXPECT_EQ(mha.attention.qk_nope_head_dim, 1);
  EXPECT_TRUE(validate(mha));
  EXPECT_EQ(with_variant(mha, Variant::mla).attention.qk_rope_head_dim, 2);
}

struct Wrong {
  const char* names;  ///< what the error must name
  std::function<void(ModelSpec&)> change;
  const char* preset = nullptr;
};

TEST(ValidateModel, NamesFieldValueAndRule) {
  using S = ModelSpec;
  const std::vector<Wrong> table{
      {"hidden_size (--hidden-size) is 0: must be from 1 to 32768", [](S& s) { s.attention.hidden_size = 0; }},
      {"hidden_size (--hidden-size) is 40000", [](S& s) { s.attention.hidden_size = 40000; }},
      {"num_attention_heads (--heads) is -1", [](S& s) { s.attention.num_attention_heads = -1; }},
      {"num_attention_heads (--heads) is 513", [](S& s) { s.attention.num_attention_heads = 513; }},
      {"qk_rope_head_dim (--rope-dim) is 7: RoPE turns pairs", [](S& s) { s.attention.qk_rope_head_dim = 7; }},
      {"qk_rope_head_dim (--rope-dim) is -2", [](S& s) { s.attention.qk_rope_head_dim = -2; }},
      {"qk_nope_head_dim (--nope-dim) is -1", [](S& s) { s.attention.qk_nope_head_dim = -1; }},
      {"n + r must be at least 1", [](S& s) { s.attention.qk_nope_head_dim = s.attention.qk_rope_head_dim = 0; }},
      {"v_head_dim (--v-head-dim) is 0", [](S& s) { s.attention.v_head_dim = 0; }},
      {"kv_lora_rank (--kv-lora-rank) is 0", [](S& s) { s.attention.kv_lora_rank = 0; }},
      {"q_lora_rank (--q-lora-rank) is 9000", [](S& s) { s.attention.q_lora_rank = 9000; }},
      {"num_key_value_heads (--kv-heads) is 4: mla has one for each", [](S& s) { s.attention.num_key_value_heads = 4; }},
      {"num_hidden_layers is 0", [](S& s) { s.num_hidden_layers = 0; }},
      {"intermediate_size is 0", [](S& s) { s.intermediate_size = 0; }},
      {"vocab_size is -1", [](S& s) { s.vocab_size = -1; }},
      {"max_position_embeddings is 0", [](S& s) { s.max_position_embeddings = 0; }},
      {"rms_norm_eps is 0", [](S& s) { s.rms_norm_eps = 0; }},
      {"rope_theta is 1:", [](S& s) { s.attention.rope.theta = 1; }},
      {"rope_theta is nan", [](S& s) { s.attention.rope.theta = std::nan(""); }},
      {"factor is 0.5", [](S& s) { s.attention.rope.yarn = Yarn{.factor = 0.5}; }},
      {"beta_slow is 2: must be at most beta_fast 1",
       [](S& s) { s.attention.rope.yarn = Yarn{.beta_fast = 1, .beta_slow = 2}; }},
      {"original_max_position_embeddings is 0",
       [](S& s) { s.attention.rope.yarn = Yarn{.original_max_position_embeddings = 0}; }},
      {"mscale_all_dim is -1", [](S& s) { s.attention.rope.yarn = Yarn{.mscale_all_dim = -1}; }},
      {"num_key_value_heads (--kv-heads) is 5: must divide", [](S& s) { s.attention.num_key_value_heads = 5; },
       "llama-3-8b"},
      {"num_key_value_heads (--kv-heads) is 16: mha has one", [](S& s) { s.attention.num_key_value_heads = 16; },
       "llama-2-7b"},
      {"v_head_dim (--v-head-dim) is 64: gqa has keys and values of one size", [](S& s) { s.attention.v_head_dim = 64; },
       "llama-3-8b"},
      {"kv_lora_rank (--kv-lora-rank) is 8: gqa has no latent", [](S& s) { s.attention.kv_lora_rank = 8; }, "llama-3-8b"},
      {"intermediate_size is 99: attention alone", [](S& s) { s.intermediate_size = 99; }, "llama-3-8b"},
      {"num_attention_heads (--heads) is 3: must divide hidden_size",
       [](S& s) { s.attention.num_attention_heads = s.attention.num_key_value_heads = 3; }, "tutorial"},
      {"qk_rope_head_dim (--rope-dim) is 2: the tutorial's block has no RoPE",
       [](S& s) { s.attention.qk_rope_head_dim = 2; }, "tutorial"},
      {"qk_nope_head_dim (--nope-dim) is 4: the tutorial's block has keys as wide",
       [](S& s) { s.attention.kv_lora_rank = 8; }, "tutorial"},
      {"vocab_size is 256", [](S& s) { s.vocab_size = 256; }, "tutorial"},
      {"q_lora_rank (--q-lora-rank) is 0", [](S& s) { s.attention.q_lora_rank = 0; }, "tutorial"},
  };
  EXPECT_TRUE(validate(ModelSpec{}));
  for (const Wrong& wrong : table) {
    ModelSpec spec = wrong.preset ? find_preset(wrong.preset)->spec : ModelSpec{};
    wrong.change(spec);
    const Status status = validate(spec);
    ASSERT_FALSE(status) << wrong.names;
    EXPECT_NE(status.error().message.find(wrong.names), std::string::npos)
        << status.error().message << "\n  wants " << wrong.names;
  }
}

TEST(ParameterCount, TutorialsBlock) {
  // 604 MB of fp32 weights, of which 4 d² are the feed-forward twice and d² the output projection.
  const ModelSpec spec = find_preset("tutorial")->spec;
  const std::int64_t d = 4096, attention = 12 * d + 12 + 128 * 4 * 12 + 128 * 4 + 4 * d + 4 + d * 4 + d + d * d + d;
  EXPECT_EQ(parameter_count(spec, 1), attention + 4 * d + 8 * d * d + 4 * d + d);
  EXPECT_NEAR(parameter_count(spec, 1) * 4e-6, 604, 1);
}

TEST(ParameterCount, GroupedAndLatentAttention) {
  const std::int64_t d = 4096;
  const ModelSpec llama = find_preset("llama-3-8b")->spec;
  EXPECT_EQ(parameter_count(llama, 3) - parameter_count(llama, 2), d * (4096 + 1024 + 1024 + 4096) + d);
  const ModelSpec lite = find_preset("deepseek-v2-lite")->spec;
  EXPECT_EQ(parameter_count(lite, 1) - parameter_count(lite, 0),
            16 * 192 * 2048 + 576 * 2048 + 512 + 16 * 256 * 512 + 2048 * 16 * 128 + 2048);
  EXPECT_EQ(parameter_count(lite, 0), 2 * 256 * 2048 + 2048);
}

TEST(ModelSpec, TrainedRankIsAtLeastTheRankAndForLatentsOnly) {
  ModelSpec spec = find_preset("deepseek-v2")->spec;
  for (const int trained : {0, 512, 4096}) {
    spec.attention.trained_kv_lora_rank = trained;
    EXPECT_TRUE(validate(spec)) << trained;
  }
  spec.attention.trained_kv_lora_rank = 511;
  EXPECT_EQ(validate(spec).error().message,
            "trained_kv_lora_rank is 511: must be 0 or at least kv_lora_rank (--kv-lora-rank) 512");
  EXPECT_EQ(with_variant(spec, Variant::gqa).attention.trained_kv_lora_rank, 0);
  ModelSpec grouped = find_preset("llama-3-8b")->spec;
  grouped.attention.trained_kv_lora_rank = 512;
  EXPECT_EQ(validate(grouped).error().message, "trained_kv_lora_rank is 512: only mla has a latent to project, must be 0");
}

}  // namespace
}  // namespace mla
