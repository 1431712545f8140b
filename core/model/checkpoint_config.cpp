#include "core/model/checkpoint_config.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/io/file.h"
#include "core/io/strict_json.h"
#include "core/model/config_parts.h"

namespace mla {
namespace {

using nlohmann::json;

constexpr std::string_view known_types = "known are toy-mla, deepseek_v2, deepseek_v3, llama, mistral and qwen2";
constexpr double toy_eps = 1e-5;  // PyTorch's default for LayerNorm

Result<json> read_json(const std::string& path, std::string_view text) {
  Result<json> value = parse_strict_json(path, text, "the text");
  if (!value || value->is_object()) return value;
  return Error{path + ": not a JSON object"};
}

ModelSpec read_toy(ConfigFields& config) {
  ModelSpec spec;
  spec.block = BlockKind::toy;
  spec.vocab_size = 0;
  spec.rms_norm_eps = toy_eps;
  spec.num_hidden_layers = config.count("num_hidden_layers", 1);
  if (spec.num_hidden_layers != 1) config.refuse("num_hidden_layers", "the toy block is a single layer");
  AttentionSpec& attention = spec.attention;
  attention.hidden_size = config.count("hidden_size");
  attention.num_attention_heads = attention.num_key_value_heads = config.count("num_attention_heads");
  attention.q_lora_rank = config.count("q_lora_rank");
  attention.kv_lora_rank = attention.qk_nope_head_dim = config.count("kv_lora_rank");
  attention.qk_rope_head_dim = 0;
  attention.v_head_dim = attention.hidden_size / attention.num_attention_heads;
  if (attention.v_head_dim * attention.num_attention_heads != attention.hidden_size) {
    config.refuse("num_attention_heads", "it must divide hidden_size " + std::to_string(attention.hidden_size));
  }
  spec.intermediate_size = 4 * attention.hidden_size;
  return spec;
}

AttentionSpec read_latent_attention(ConfigFields& config) {
  AttentionSpec attention;
  attention.hidden_size = config.count("hidden_size");
  attention.num_attention_heads = config.count("num_attention_heads");
  attention.num_key_value_heads = config.count("num_key_value_heads", attention.num_attention_heads);
  if (attention.num_key_value_heads != attention.num_attention_heads) {
    config.refuse("num_key_value_heads",
                  "with a latent cache it must equal num_attention_heads " + std::to_string(attention.num_attention_heads));
  }
  attention.q_lora_rank = config.has("q_lora_rank") ? config.count("q_lora_rank") : 0;
  attention.kv_lora_rank = config.count("kv_lora_rank");
  attention.qk_nope_head_dim = config.count("qk_nope_head_dim");
  attention.qk_rope_head_dim = config.count("qk_rope_head_dim", {}, 0);
  attention.v_head_dim = config.count("v_head_dim");
  if (config.flag("elastic", false))
    attention.elastic = Elastic{attention.num_attention_heads, attention.kv_lora_rank, attention.qk_rope_head_dim};
  return attention;
}

/// MHA, GQA or MQA by the number of key-value heads; all of a head is rotated.
AttentionSpec read_grouped_attention(ConfigFields& config) {
  AttentionSpec a;
  const int heads = config.count("num_attention_heads"), groups = config.count("num_key_value_heads", heads);
  a.variant = groups == heads ? Variant::mha : groups == 1 ? Variant::mqa : Variant::gqa;
  a.hidden_size = config.count("hidden_size");
  a.num_attention_heads = heads;
  a.num_key_value_heads = groups;
  a.kv_lora_rank = a.q_lora_rank = a.qk_nope_head_dim = 0;
  a.qk_rope_head_dim = a.v_head_dim = config.count("head_dim", a.hidden_size / std::max(heads, 1));
  if (!config.has("head_dim") && a.hidden_size % heads != 0)
    config.refuse("num_attention_heads", "without head_dim it must divide hidden_size " + std::to_string(a.hidden_size));
  if (a.v_head_dim % 2 != 0)
    config.refuse("head_dim", "heads of " + std::to_string(a.v_head_dim) + " values are odd, and RoPE turns pairs");
  return a;
}

/// What all decoders have beside their attention.
void read_decoder(ConfigFields& config, int default_positions, ModelSpec& spec) {
  spec.block = BlockKind::decoder;
  spec.num_hidden_layers = config.count("num_hidden_layers");
  spec.intermediate_size = config.count("intermediate_size");
  spec.vocab_size = config.count("vocab_size");
  spec.max_position_embeddings = config.count("max_position_embeddings", default_positions);
  spec.rms_norm_eps = config.number("rms_norm_eps", spec.rms_norm_eps);
  spec.tie_word_embeddings = config.flag("tie_word_embeddings", false);
  if (config.text("hidden_act", "silu") != "silu") config.refuse("hidden_act", "known is silu");
}

/// Adds RoPE and quantisation, whose errors name their own objects, to what was read without error.
Result<CheckpointConfig> finish(const std::string& path, ConfigFields& config, RopeScaling known, CheckpointConfig read) {
  const Result<RopeSpec> rope = read_rope(path, config, known, read.spec.max_position_embeddings);
  const Result<std::optional<ScaleBlock>> fp8 = read_fp8(path, config);
  if (!config.status()) return config.status().error();
  if (!rope) return rope.error();
  if (!fp8) return fp8.error();
  read.spec.attention.rope = *rope;
  read.fp8 = *fp8;
  return read;
}

Result<CheckpointConfig> read_deepseek(const std::string& path, ConfigFields& config, bool v3) {
  CheckpointConfig read;
  read.spec.attention = read_latent_attention(config);
  read_decoder(config, v3 ? 4096 : 2048, read.spec);  // the defaults of the two published configurations
  read.spec.moe = read_moe(config, v3, read.spec.num_hidden_layers);
  read.attention_bias = read.output_bias = config.flag("attention_bias", false);
  read.half_split = !config.flag("rope_interleave", true);
  read.num_nextn_predict_layers = config.count("num_nextn_predict_layers", 0, 0);
  if (config.flag("mlp_bias", false)) config.refuse("mlp_bias", "deepseek has no biases in its feed-forward");
  return finish(path, config, RopeScaling::yarn, read);
}

/// A window that is no shorter than the model is none.
void refuse_window(ConfigFields& config, int max_positions) {
  if (!config.flag("use_sliding_window", true) || !config.has("sliding_window")) return;
  if (config.count("sliding_window") >= max_positions) return;
  config.refuse("sliding_window", "attention windows are not built; it must be null or max_position_embeddings " +
                                      std::to_string(max_positions));
}

Result<CheckpointConfig> read_llama(const std::string& path, ConfigFields& config) {
  CheckpointConfig read;
  read.spec.attention = read_grouped_attention(config);
  read_decoder(config, 2048, read.spec);
  read.attention_bias = read.output_bias = config.flag("attention_bias", false);
  read.mlp_bias = config.flag("mlp_bias", false);
  read.half_split = true;
  return finish(path, config, RopeScaling::llama, read);
}

Result<CheckpointConfig> read_mistral(const std::string& path, ConfigFields& config) {
  CheckpointConfig read;
  read.spec.attention = read_grouped_attention(config);
  read_decoder(config, 131072, read.spec);
  refuse_window(config, read.spec.max_position_embeddings);
  read.half_split = true;
  return finish(path, config, RopeScaling::llama, read);
}

Result<CheckpointConfig> read_qwen2(const std::string& path, ConfigFields& config) {
  CheckpointConfig read;
  read.spec.attention = read_grouped_attention(config);
  read_decoder(config, 32768, read.spec);
  if (config.flag("use_sliding_window", false)) refuse_window(config, read.spec.max_position_embeddings);
  read.attention_bias = true;
  read.half_split = true;
  return finish(path, config, RopeScaling::llama, read);
}

Result<CheckpointConfig> read_by_type(const std::string& path, ConfigFields& config) {
  const std::string type = config.text("model_type");
  if (type == "deepseek_v2" || type == "deepseek_v3") return read_deepseek(path, config, type == "deepseek_v3");
  if (type == "llama") return read_llama(path, config);
  if (type == "mistral") return read_mistral(path, config);
  if (type == "qwen2") return read_qwen2(path, config);
  if (type != "toy-mla") config.refuse("model_type", std::string("not built; ") + std::string(known_types));
  if (!config.status()) return config.status().error();
  const ModelSpec spec = read_toy(config);
  if (!config.status()) return config.status().error();
  return CheckpointConfig{.spec = spec};
}

}  // namespace

Result<CheckpointConfig> read_checkpoint_config(const std::string& directory) {
  std::error_code failed;
  if (!std::filesystem::is_directory(directory, failed)) return Error{directory + ": not a model directory"};
  const std::string path = (std::filesystem::path(directory) / "config.json").string();
  const Result<std::string> text = read_file(path);
  if (!text) return text.error();
  return parse_checkpoint_config(*text, path);
}

Result<CheckpointConfig> parse_checkpoint_config(std::string_view text, const std::string& path) {
  const Result<json> object = read_json(path, text);
  if (!object) return object.error();
  ConfigFields fields(path, *object);
  Result<CheckpointConfig> config = read_by_type(path, fields);
  if (!config) return config;
  if (Status valid = validate(config->spec); !valid) return Error{path + ": " + valid.error().message};
  return config;
}

}  // namespace mla
