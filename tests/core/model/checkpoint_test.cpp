#include "core/model/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "tests/core/model/checkpoint_copy.h"

namespace mla {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

TEST(Checkpoint, ReadsTheToyBlock) {
  const Result<LoadedCheckpoint> toy = load_checkpoint(golden("toy"));
  ASSERT_TRUE(toy) << toy.error().message;
  const AttentionSpec& a = toy->spec.attention;
  EXPECT_EQ(toy->spec.block, BlockKind::toy);
  EXPECT_EQ(toy->spec.vocab_size, 0);
  EXPECT_EQ(toy->spec.intermediate_size, 256);
  EXPECT_EQ(std::tuple(a.hidden_size, a.num_attention_heads, a.q_lora_rank, a.kv_lora_rank), std::tuple(64, 8, 6, 4));
  EXPECT_EQ(std::tuple(a.qk_nope_head_dim, a.qk_rope_head_dim, a.v_head_dim), std::tuple(4, 0, 8));
  const LayerWeights& layer = toy->weights->layers.at(0);
  EXPECT_EQ(layer.attention.q_proj.weight.name, "attn.W_qk.weight");
  EXPECT_EQ(std::pair(layer.attention.q_proj.weight.rows, layer.attention.q_proj.weight.cols), std::pair(32, 6));
  EXPECT_EQ(std::pair(layer.attention.q_proj.bias.rows, layer.attention.q_proj.bias.cols), std::pair(32, 1));
  EXPECT_EQ(layer.down_proj.weight.name, "ff.2.weight");
  EXPECT_FALSE(toy->weights->random);
  EXPECT_FALSE(layer.up_proj.weight);
}

TEST(Checkpoint, TiesTheHeadToTheEmbedding) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden("mla-q-lora"));
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_TRUE(model->spec.tie_word_embeddings);
  EXPECT_EQ(model->weights->lm_head.values, model->weights->embed_tokens.values);
}

TEST(Checkpoint, YarnIsOnOnlyBeyondTheOriginalLength) {
  const Copy copy("mla-yarn");
  json config = golden_config("mla-yarn");
  const std::optional<Yarn> yarn = read_model_spec(copy.path())->attention.rope.yarn;
  ASSERT_TRUE(yarn);
  EXPECT_EQ(*yarn, (Yarn{40, 4096, 32, 1, 1, 0.7}));
  config["max_position_embeddings"] = 4096;
  copy.configure(config);
  EXPECT_FALSE(read_model_spec(copy.path())->attention.rope.yarn);
}

TEST(Checkpoint, ReadsTheNewerNameOfTheRopeSettings) {
  const Copy copy("mla-yarn");
  const Result<ModelSpec> older = read_model_spec(copy.path());
  json config = golden_config("mla-yarn");
  config["rope_parameters"] = config["rope_scaling"];
  config["rope_parameters"]["rope_type"] = "yarn";
  config["rope_parameters"]["rope_theta"] = config["rope_theta"];
  config.erase("rope_scaling");
  config.erase("rope_theta");
  copy.configure(config);
  const Result<ModelSpec> newer = read_model_spec(copy.path());
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_EQ(*newer, *older);
}

TEST(Checkpoint, NullMeansAbsent) {
  const Copy copy("mla-plain");
  json config = golden_config("mla-plain");
  for (const char* const name : {"rope_scaling", "rope_theta", "n_routed_experts", "quantization_config", "rms_norm_eps",
                                 "num_key_value_heads", "tie_word_embeddings", "hidden_act"}) {
    config[name] = nullptr;
  }
  copy.configure(config);
  const Result<ModelSpec> spec = read_model_spec(copy.path());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(*spec, *read_model_spec(golden("mla-plain")));
}

TEST(Checkpoint, ReadsBf16) {
  const Copy copy("mla-plain");
  const Safetensors stored = *Safetensors::open(copy.weights());
  json header;
  std::string data;
  for (const TensorView& tensor : stored.tensors()) {
    const std::size_t begin = data.size();
    for (std::size_t i = 0; i < tensor.bytes.size(); i += 4) {  // the upper half of each float
      data.append(reinterpret_cast<const char*>(tensor.bytes.data()) + i + 2, 2);
    }
    header[tensor.name] = {{"dtype", "BF16"}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
  }
  const std::string text = header.dump();
  std::string bytes(8, '\0');
  const std::uint64_t length = text.size();
  std::memcpy(bytes.data(), &length, 8);
  fs::remove(copy.weights());  // `stored` still maps the old file
  write_plainly(copy.weights(), bytes + text + data);

  const Result<LoadedCheckpoint> full = load_checkpoint(golden("mla-plain")), half = load_checkpoint(copy.path());
  ASSERT_TRUE(half) << half.error().message;
  const Weight& exact = full->weights->lm_head;
  const Weight& rounded = half->weights->lm_head;
  ASSERT_EQ(rounded.values->size(), exact.values->size());
  for (std::size_t i = 0; i < exact.values->size(); ++i) {
    EXPECT_NEAR((*rounded.values)[i], (*exact.values)[i], std::abs((*exact.values)[i]) / 128);
  }
}

TEST(Checkpoint, RefusesMissingAndBrokenFiles) {
  const Copy copy("toy");
  EXPECT_EQ(load_checkpoint(copy.path() + "/none").error().message, copy.path() + "/none: not a model directory");
  write_plainly(copy.path() + "/config.json", "{\"model_type\": ");
  EXPECT_NE(copy.error().find("not valid JSON at byte 16"), std::string::npos) << copy.error();
  write_plainly(copy.path() + "/config.json", "[]");
  EXPECT_NE(copy.error().find("not a JSON object"), std::string::npos) << copy.error();
  copy.configure(golden_config("toy"));
  fs::resize_file(copy.weights(), 5000);
  EXPECT_NE(copy.error().find("model.safetensors"), std::string::npos) << copy.error();
  fs::remove(copy.weights());
  EXPECT_NE(copy.error().find("model.safetensors: cannot open"), std::string::npos) << copy.error();
  fs::remove(copy.path() + "/config.json");
  EXPECT_NE(copy.error().find("config.json: cannot open"), std::string::npos) << copy.error();
}

TEST(Checkpoint, ReadsTheExpertsOfAMixture) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden("moe-sigmoid"));
  ASSERT_TRUE(model) << model.error().message;
  const MoeSpec& moe = *model->spec.moe;
  EXPECT_EQ(std::tuple(moe.n_routed_experts, moe.num_experts_per_tok, moe.moe_intermediate_size, moe.n_shared_experts),
            std::tuple(12, 4, 11, 1));
  EXPECT_EQ(std::tuple(moe.first_k_dense_replace, moe.moe_layer_freq, moe.n_group, moe.topk_group), std::tuple(1, 1, 4, 2));
  EXPECT_EQ(std::tuple(moe.scoring_func, moe.topk_method, moe.norm_topk_prob, moe.routed_scaling_factor),
            std::tuple(ScoringFunc::sigmoid, TopkMethod::noaux_tc, true, 2.5));
  const std::vector<LayerWeights>& layers = model->weights->layers;
  EXPECT_TRUE(layers[0].gate_proj.weight);
  EXPECT_FALSE(layers[0].moe.gate.weight);
  EXPECT_FALSE(layers[1].gate_proj.weight);
  EXPECT_EQ(layers[1].moe.experts.size(), 12u);
  EXPECT_EQ(layers[1].moe.experts[7].down_proj.weight.name, "model.layers.1.mlp.experts.7.down_proj.weight");
  EXPECT_EQ(layers[2].moe.e_score_correction_bias.rows, 12);
  EXPECT_EQ(layers[2].moe.shared_experts.gate_proj.weight.rows, 11);
}

// What configurations written for DeepSeek-V3 alone leave out.
TEST(Checkpoint, TheThirdVersionHasItsOwnRouting) {
  const Copy copy("moe-sigmoid");
  json config = golden_config("moe-sigmoid");
  for (const char* const name : {"scoring_func", "topk_method", "norm_topk_prob", "moe_layer_freq", "routed_scaling_factor"})
    config.erase(name);
  copy.configure(config);
  const Result<ModelSpec> spec = read_model_spec(copy.path());
  ASSERT_TRUE(spec) << spec.error().message;
  EXPECT_EQ(*spec, *read_model_spec(golden("moe-sigmoid")));
}

TEST(Checkpoint, NullExpertsAreDense) {
  const Copy copy("mla-plain");
  json config = golden_config("mla-plain");
  for (const char* const name :
       {"n_routed_experts", "num_experts_per_tok", "moe_intermediate_size", "n_group", "topk_method"})
    config[name] = nullptr;
  copy.configure(config);
  EXPECT_EQ(copy.error(), "");
  EXPECT_FALSE(read_model_spec(copy.path())->moe);
}

TEST(Checkpoint, ReadsLlamaTypes) {
  const ModelSpec gqa = *read_model_spec(golden("llama-tied")), mha = *read_model_spec(golden("llama-mha")),
                  mqa = *read_model_spec(golden("qwen2"));
  EXPECT_EQ(gqa.attention.variant, Variant::gqa);
  EXPECT_EQ(std::tuple(gqa.attention.qk_nope_head_dim, gqa.attention.qk_rope_head_dim, gqa.attention.v_head_dim),
            std::tuple(0, 10, 10));
  EXPECT_EQ(*gqa.attention.rope.llama3, (Llama3Rope{8, 1, 4, 64}));
  EXPECT_TRUE(gqa.tie_word_embeddings);
  EXPECT_EQ(mha.attention.variant, Variant::mha);
  EXPECT_EQ(mha.attention.rope.linear_factor, 4);
  EXPECT_EQ(mqa.attention.variant, Variant::mqa);
  EXPECT_FALSE(load_checkpoint(golden("qwen2"))->weights->layers[0].attention.o_proj.bias);
}

TEST(Checkpoint, MistralIsLlamaWithoutAWindow) {
  const Copy copy("llama-tied");
  json config = golden_config("llama-tied");
  config["model_type"] = "mistral";
  for (const json& window : {json(nullptr), json(512)}) {
    config["sliding_window"] = window;
    copy.configure(config);
    EXPECT_EQ(copy.error(), "");
    EXPECT_EQ(*read_model_spec(copy.path()), *read_model_spec(golden("llama-tied")));
  }
  config["sliding_window"] = 128;
  copy.configure(config);
  EXPECT_NE(copy.error().find("sliding_window is 128; attention windows are not built"), std::string::npos) << copy.error();
}

// The pairs (i, i + r/2) of each head's rotated rows become neighbours; the rows before them stay.
TEST(Checkpoint, PutsHalfSplitRowsInTheOrderOfPairs) {
  const Result<LoadedCheckpoint> model = load_checkpoint(golden("mla-halves"));
  ASSERT_TRUE(model) << model.error().message;
  const Safetensors file = *Safetensors::open(golden("mla-halves") + "/model.safetensors");
  const Weight& q = model->weights->layers[0].attention.q_proj.weight;
  const std::vector<float> stored = *read_fp32(file, q.name);
  const std::vector<int> order{0, 1, 2, 3, 4, 5, 6, 10, 7, 11, 8, 12, 9, 13};  // n 6, r 8
  for (int row = 0; row < q.rows; ++row)
    for (int col = 0; col < q.cols; ++col) {
      const int from = row / 14 * 14 + order[row % 14];
      ASSERT_EQ(q.data()[row * q.cols + col], stored[from * q.cols + col]) << row;
    }
  const Weight& bias = model->weights->layers[0].attention.kv_a_proj.bias;
  const std::vector<float> stored_bias = *read_fp32(file, bias.name);
  EXPECT_EQ(bias.data()[11], stored_bias[11]);  // the latent's
  EXPECT_EQ(bias.data()[13], stored_bias[16]);
}

TEST(Checkpoint, RefusesScalesThatDoNotFit) {
  const Copy copy("fp8");
  const std::string scale = "model.layers.0.mlp.down_proj.weight_scale_inv";
  std::string bytes = *read_file(copy.weights());
  bytes.replace(bytes.find(scale), scale.size(), scale.substr(0, scale.size() - 1) + "w");
  write_plainly(copy.weights(), bytes);
  EXPECT_NE(copy.error().find("down_proj.weight_scale_inv is missing; config.json asks for it with shape [3, 5]"),
            std::string::npos)
      << copy.error();
}

TEST(Checkpoint, ReportsProgressAndStops) {
  std::vector<double> seen;
  ASSERT_TRUE(load_checkpoint(golden("toy"), {.progress = [&](double done) { seen.push_back(done); }}));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1.0);
  std::stop_source stop;
  const Result<LoadedCheckpoint> cancelled =
      load_checkpoint(golden("toy"), {.progress = [&](double) { stop.request_stop(); }, .stop = stop.get_token()});
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().message, "cancelled");
}

}  // namespace
}  // namespace mla
