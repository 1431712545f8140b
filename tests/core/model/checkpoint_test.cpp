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
    fs::copy(golden(name) + "/config.json", folder_.path());
    fs::copy(golden(name) + "/model.safetensors", folder_.path());
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
      {"toy", "model_type", "llama", "model_type is \"llama\""},
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
      {"mla-plain", "n_routed_experts", 64, "n_routed_experts is 64"},
      {"mla-plain", "quantization_config", {{"quant_method", "fp8"}}, "quantization_config"},
      {"mla-plain", "hidden_act", "gelu", "hidden_act is \"gelu\""},
      {"mla-plain", "rope_interleave", false, "rope_interleave is false"},
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
  EXPECT_NE(copy.error().find("config.json: not valid JSON at byte 16"), std::string::npos) << copy.error();
  write_plainly(copy.path() + "/config.json", "[]");
  EXPECT_NE(copy.error().find("not a JSON object"), std::string::npos) << copy.error();
  copy.configure(golden_config("toy"));
  fs::resize_file(copy.weights(), 5000);
  EXPECT_NE(copy.error().find("model.safetensors"), std::string::npos) << copy.error();
  fs::rename(copy.weights(), copy.path() + "/model.safetensors.index.json");
  EXPECT_NE(copy.error().find("several shards are not built yet"), std::string::npos) << copy.error();
  fs::remove(copy.path() + "/model.safetensors.index.json");
  EXPECT_NE(copy.error().find("model.safetensors: cannot open"), std::string::npos) << copy.error();
  fs::remove(copy.path() + "/config.json");
  EXPECT_NE(copy.error().find("config.json: cannot open"), std::string::npos) << copy.error();
}

TEST(Checkpoint, ReportsProgressAndStops) {
  std::vector<double> seen;
  ASSERT_TRUE(load_checkpoint(golden("toy"), [&](double done) { seen.push_back(done); }));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1.0);
  std::stop_source stop;
  const Result<LoadedCheckpoint> cancelled = load_checkpoint(
      golden("toy"), [&](double) { stop.request_stop(); }, stop.get_token());
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().message, "cancelled");
}

}  // namespace
}  // namespace mla
