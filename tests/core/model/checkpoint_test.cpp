#include "core/model/checkpoint.h"

#include <gtest/gtest.h>

#include <cstring>
#include <nlohmann/json.hpp>

#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "tests/core/io/temp_folder.h"

namespace mla {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

std::string golden(const std::string& name) { return std::string(MLA_SOURCE_DIR) + "/tests/golden/" + name; }

json golden_config(const std::string& name) { return json::parse(*read_file(golden(name) + "/config.json")); }

/// A copy of a golden model whose files a test may spoil.
class Copy {
 public:
  explicit Copy(const std::string& name) {
    for (const fs::directory_entry& file : fs::directory_iterator(golden(name)))
      if (file.path().filename() != "expected.safetensors") fs::copy(file.path(), folder_.path());
  }
  std::string path() const { return folder_.path(); }
  std::string weights() const { return folder_ / "model.safetensors"; }
  void configure(const json& config) const { write_plainly(folder_ / "config.json", config.dump()); }
  std::string error() const {
    const Result<LoadedCheckpoint> loaded = load_checkpoint(path());
    return loaded ? "" : loaded.error().message;
  }

 private:
  TempFolder folder_;
};

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

struct Wrong {
  std::string golden;
  std::string field;
  json value;
  std::string culprit;  ///< must be in the message
};

TEST(Checkpoint, RefusesConfigurationsByName) {
  const std::vector<Wrong> all{
      {"toy", "model_type", "gpt2", "model_type is \"gpt2\""},
      {"toy", "model_type", nullptr, "model_type is missing"},
      {"toy", "model_type", 7, "model_type is 7"},
      {"toy", "num_hidden_layers", 2, "num_hidden_layers is 2"},
      {"toy", "num_attention_heads", 7, "num_attention_heads is 7"},
      {"toy", "kv_lora_rank", nullptr, "kv_lora_rank is missing"},
      {"toy", "kv_lora_rank", 5, "attn.W_qk.weight has shape [32, 6]; config.json asks for [40, 6]"},
      {"toy", "hidden_size", -64, "hidden_size is -64"},
      {"toy", "hidden_size", 64.5, "hidden_size is 64.5"},
      {"toy", "hidden_size", "64", "hidden_size is \"64\""},
      {"toy", "hidden_size", 4294967360, "hidden_size is 4294967360"},
      {"mla-plain", "hidden_size", 49, "model.embed_tokens.weight has shape [50, 48]"},
      {"mla-plain", "num_hidden_layers", 3, "model.layers.2.input_layernorm.weight is missing"},
      {"mla-plain", "num_hidden_layers", 1, "has no place in the model"},
      {"mla-plain", "num_hidden_layers", 255, "num_hidden_layers 255"},
      {"mla-plain", "q_lora_rank", 20, "q_a_proj.weight is missing"},
      {"mla-plain", "qk_rope_head_dim", 7, "qk_rope_head_dim"},
      {"mla-plain", "num_key_value_heads", 2, "num_key_value_heads is 2"},
      {"mla-plain", "n_routed_experts", 8, "num_experts_per_tok is missing"},
      {"moe-softmax", "n_routed_experts", 4096, "n_routed_experts 4096"},
      {"moe-softmax", "n_routed_experts", 16, "too few for num_hidden_layers 3, n_routed_experts 16"},
      {"moe-softmax", "n_routed_experts", "8", "n_routed_experts is \"8\""},
      {"moe-softmax", "n_routed_experts", nullptr, "mlp.gate_proj.weight is missing"},
      {"moe-softmax", "num_experts_per_tok", 5, "num_experts_per_tok is 5"},
      {"moe-softmax", "num_experts_per_tok", 0, "num_experts_per_tok is 0"},
      {"moe-softmax", "moe_intermediate_size", 17, "gate_proj.weight has shape [16, 32]; config.json asks for [17, 32]"},
      {"moe-softmax", "n_shared_experts", 1, "shared_experts.gate_proj.weight has shape [32, 32]"},
      {"moe-softmax", "n_shared_experts", nullptr, "shared_experts.down_proj.weight has no place"},
      {"moe-softmax", "first_k_dense_replace", 2, "layers.1.mlp.gate_proj.weight is missing"},
      {"moe-softmax", "first_k_dense_replace", 0, "layers.0.mlp.gate.weight is missing"},
      {"moe-softmax", "moe_layer_freq", 2, "layers.1.mlp.gate_proj.weight is missing"},
      {"moe-softmax", "moe_layer_freq", 0, "moe_layer_freq is 0"},
      {"moe-softmax", "n_group", 3, "n_group is 3: must divide n_routed_experts 8"},
      {"moe-softmax", "topk_group", 5, "topk_group is 5"},
      {"moe-softmax", "scoring_func", "tanh", "scoring_func is \"tanh\"; known are softmax and sigmoid"},
      {"moe-softmax", "topk_method", "random", "topk_method is \"random\""},
      {"moe-softmax", "topk_method", "noaux_tc", "mlp.gate.e_score_correction_bias is missing"},
      {"moe-softmax", "norm_topk_prob", 1, "norm_topk_prob is 1"},
      {"moe-softmax", "routed_scaling_factor", 0, "routed_scaling_factor is 0"},
      {"moe-sigmoid", "topk_method", "greedy", "e_score_correction_bias has no place"},
      {"moe-sigmoid", "n_group", 12, "noaux_tc scores a group by two experts"},
      {"mla-plain", "quantization_config", 8, "quantization_config is 8"},
      {"mla-plain", "quantization_config", {{"bits", 4}}, "quantization_config: quant_method is missing"},
      {"fp8", "quantization_config", {{"quant_method", "gptq"}}, "quant_method is \"gptq\"; known is fp8"},
      {"fp8", "quantization_config", {{"quant_method", "fp8"}, {"fmt", "e5m2"}}, "fmt is \"e5m2\""},
      {"fp8", "quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", {16}}}, "weight_block_size is [16]"},
      {"fp8", "quantization_config", {{"quant_method", "fp8"}, {"weight_block_size", {0, 1}}}, "weight_block_size is [0,1]"},
      {"fp8",
       "quantization_config",
       {{"quant_method", "fp8"}},
       "weight_scale_inv has shape [2, 4]; config.json asks for [1, 1]"},
      {"fp8", "quantization_config", nullptr, "is F8_E4M3, but config.json has no quantization_config"},
      {"sharded", "num_nextn_predict_layers", 0, "model.layers.2.eh_proj.weight has no place"},
      {"sharded", "num_hidden_layers", 3, "model.layers.2.input_layernorm.weight is missing"},
      {"llama-tied", "num_key_value_heads", 4, "num_key_value_heads (--kv-heads) is 4: must divide"},
      {"llama-tied", "num_key_value_heads", 3, "k_proj.weight has shape [20, 36]; config.json asks for [30, 36]"},
      {"llama-tied", "head_dim", nullptr, "q_proj.weight has shape [60, 36]; config.json asks for [36, 36]"},
      {"llama-tied", "head_dim", 9, "head_dim is 9"},
      {"llama-mha", "num_attention_heads", 4, "num_attention_heads is 4; without head_dim it must divide"},
      {"llama-tied", "hidden_act", "gelu", "hidden_act is \"gelu\""},
      {"llama-tied", "attention_bias", true, "q_proj.bias is missing"},
      {"llama-mha", "attention_bias", false, "self_attn.k_proj.bias has no place"},
      {"llama-tied", "mlp_bias", true, "gate_proj.bias is missing"},
      {"llama-tied", "partial_rotary_factor", 0.5, "partial_rotary_factor is 0.5"},
      {"llama-tied", "rope_scaling", {{"rope_type", "yarn"}, {"factor", 2}}, "rope_scaling: rope_type is \"yarn\""},
      {"llama-tied", "rope_scaling", {{"type", "dynamic"}, {"factor", 2}}, "rope_scaling: type is \"dynamic\""},
      {"llama-tied", "rope_scaling", {{"rope_type", "linear"}}, "rope_scaling: factor is missing"},
      {"llama-tied", "rope_scaling", {{"rope_type", "llama3"}, {"factor", 8}}, "low_freq_factor is missing"},
      {"qwen2", "use_sliding_window", true, "sliding_window is 128"},
      {"mla-plain", "hidden_act", "gelu", "hidden_act is \"gelu\""},
      {"mla-plain", "rope_interleave", "no", "rope_interleave is \"no\""},
      {"mla-plain", "rms_norm_eps", 0, "rms_norm_eps is 0"},
      {"mla-plain", "tie_word_embeddings", "yes", "tie_word_embeddings is \"yes\""},
      {"mla-plain", "rope_scaling", 4, "rope_scaling is 4"},
      {"mla-plain", "rope_scaling", {{"type", "linear"}, {"factor", 2}}, "type is \"linear\""},
      {"mla-plain", "rope_scaling", {{"type", "yarn"}}, "rope_scaling: factor is missing"},
      {"mla-plain", "rope_scaling", {{"type", "yarn"}, {"factor", 0.5}}, "factor is 0.5"},
      {"mla-plain", "attention_bias", true, "kv_a_proj_with_mqa.bias is missing"},
  };
  for (const Wrong& wrong : all) {
    const Copy copy(wrong.golden);
    json config = golden_config(wrong.golden);
    config[wrong.field] = wrong.value;
    copy.configure(config);
    const std::string message = copy.error();
    EXPECT_NE(message.find(wrong.culprit), std::string::npos) << wrong.field << " " << wrong.value << ": " << message;
    EXPECT_EQ(message.rfind(copy.path(), 0), 0u) << message;
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
  for (const std::string& other : {scale.substr(0, scale.size() - 1) + "w"}) {
    std::string renamed = bytes;
    renamed.replace(renamed.find(scale), scale.size(), other);
    write_plainly(copy.weights(), renamed);
    EXPECT_NE(copy.error().find("down_proj.weight_scale_inv is missing; config.json asks for it with shape [3, 5]"),
              std::string::npos)
        << copy.error();
  }
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
