#include "core/model/checkpoint_config.h"

#include <filesystem>
#include <system_error>

#include "core/io/file.h"
#include "core/io/strict_json.h"
#include "core/model/config_fields.h"

namespace mla {
namespace {

using nlohmann::json;

constexpr std::string_view known_types = "known are toy-mla, deepseek_v2 and deepseek_v3";
constexpr double toy_eps = 1e-5;  // PyTorch's default for LayerNorm

Result<json> read_json(const std::string& path, std::string_view text) {
  Result<json> value = parse_strict_json(path, text, "");
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

AttentionSpec read_attention(ConfigFields& config) {
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
  return attention;
}

Yarn read_yarn(ConfigFields& scaling) {
  Yarn yarn;
  yarn.factor = scaling.number("factor");
  if (yarn.factor < 1) scaling.refuse("factor", "it must be at least 1");
  yarn.original_max_position_embeddings =
      scaling.count("original_max_position_embeddings", yarn.original_max_position_embeddings);
  yarn.beta_fast = scaling.number("beta_fast", yarn.beta_fast);
  yarn.beta_slow = scaling.number("beta_slow", yarn.beta_slow);
  yarn.mscale = scaling.number("mscale", yarn.mscale, true);
  yarn.mscale_all_dim = scaling.number("mscale_all_dim", yarn.mscale_all_dim, true);
  return yarn;
}

/// `rope_scaling`, or `rope_parameters` as newer files name it, with the base frequency inside or beside it.
Result<RopeSpec> read_rope(const std::string& path, ConfigFields& config, int max_positions) {
  RopeSpec rope;
  rope.theta = config.number("rope_theta", rope.theta);
  const std::string name = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const json* const object = config.object(name);
  if (!object) return rope;
  ConfigFields scaling(path + ": " + name, *object);
  rope.theta = scaling.number("rope_theta", rope.theta);
  const char* const field = scaling.has("rope_type") ? "rope_type" : "type";
  const std::string type = scaling.text(field);
  if (type == "yarn") {
    const Yarn yarn = read_yarn(scaling);
    if (max_positions > yarn.original_max_position_embeddings) rope.yarn = yarn;
  } else if (type != "default") {
    scaling.refuse(field, "known are yarn and default");
  }
  if (!scaling.status()) return scaling.status().error();
  return rope;
}

/// Refuses what would change the result but is not built.
void check_built(ConfigFields& config, int layers) {
  if (config.has("quantization_config")) config.refuse("quantization_config", "quantised weights are not built yet");
  if (config.has("n_routed_experts") && config.count("first_k_dense_replace", 0, 0) < layers) {
    config.refuse("n_routed_experts", "mixture-of-experts layers are not built yet");
  }
  if (config.text("hidden_act", "silu") != "silu") config.refuse("hidden_act", "known is silu");
  if (!config.flag("rope_interleave", true)) config.refuse("rope_interleave", "half-split RoPE pairs are not built yet");
  if (config.flag("mlp_bias", false)) config.refuse("mlp_bias", "biases of the feed-forward are not built yet");
}

Result<CheckpointConfig> read_deepseek(const std::string& path, ConfigFields& config, int default_positions) {
  CheckpointConfig read;
  ModelSpec& spec = read.spec;
  spec.block = BlockKind::decoder;
  spec.attention = read_attention(config);
  spec.num_hidden_layers = config.count("num_hidden_layers");
  spec.intermediate_size = config.count("intermediate_size");
  spec.vocab_size = config.count("vocab_size");
  spec.max_position_embeddings = config.count("max_position_embeddings", default_positions);
  spec.rms_norm_eps = config.number("rms_norm_eps", spec.rms_norm_eps);
  spec.tie_word_embeddings = config.flag("tie_word_embeddings", false);
  read.attention_bias = config.flag("attention_bias", false);
  check_built(config, spec.num_hidden_layers);
  Result<RopeSpec> rope = read_rope(path, config, spec.max_position_embeddings);
  if (!config.status()) return config.status().error();
  if (!rope) return rope.error();
  spec.attention.rope = *rope;
  return read;
}

Result<CheckpointConfig> read_by_type(const std::string& path, ConfigFields& config) {
  const std::string type = config.text("model_type");
  if (type == "deepseek_v2") return read_deepseek(path, config, 2048);  // the defaults of the two published configurations
  if (type == "deepseek_v3") return read_deepseek(path, config, 4096);
  if (type != "toy-mla") config.refuse("model_type", std::string("not built yet; ") + std::string(known_types));
  if (!config.status()) return config.status().error();
  const ModelSpec spec = read_toy(config);
  if (!config.status()) return config.status().error();
  return CheckpointConfig{spec, true};
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
