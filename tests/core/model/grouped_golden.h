#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "core/io/file.h"
#include "core/io/safetensors.h"
#include "core/model/checkpoint.h"

namespace mla {

/// Copies tensors of a golden into weights; the first that is missing is the error.
class GoldenTensors {
 public:
  explicit GoldenTensors(Safetensors file) : file_(std::move(file)) {}
  Weight weight(const std::string& name) {
    const Result<std::vector<float>> values = read_fp32(file_, name + ".weight");
    if (!values) {
      status_ = values.error();
      return {};
    }
    auto buffer = std::make_shared<Buffer<float>>(values->size());
    std::copy(values->begin(), values->end(), buffer->data());
    const std::vector<std::int64_t>& shape = file_.find(name + ".weight")->shape;
    return {name, int(shape[0]), shape.size() > 1 ? int(shape[1]) : 1, std::move(buffer)};
  }
  const Status& status() const { return status_; }

 private:
  Safetensors file_;
  Status status_;
};

inline ModelSpec grouped_spec(const nlohmann::json& config) {
  ModelSpec spec;
  AttentionSpec& a = spec.attention;
  a.variant = *parse_variant(config["model_type"].get<std::string>());
  a.hidden_size = config["hidden_size"];
  a.num_attention_heads = config["num_attention_heads"];
  a.num_key_value_heads = config["num_key_value_heads"];
  a.qk_nope_head_dim = config["qk_nope_head_dim"];
  a.qk_rope_head_dim = config["qk_rope_head_dim"];
  a.v_head_dim = a.head_dim();
  a.kv_lora_rank = a.q_lora_rank = 0;
  a.rope.theta = config["rope_theta"];
  spec.num_hidden_layers = config["num_hidden_layers"];
  spec.intermediate_size = config["intermediate_size"];
  spec.vocab_size = config["vocab_size"];
  spec.rms_norm_eps = config["rms_norm_eps"];
  return spec;
}

inline LayerWeights grouped_layer(GoldenTensors& tensors, const std::string& prefix) {
  LayerWeights layer;
  layer.input_norm = tensors.weight(prefix + "input_layernorm");
  layer.attention.q_proj.weight = tensors.weight(prefix + "self_attn.q_proj");
  layer.attention.k_proj.weight = tensors.weight(prefix + "self_attn.k_proj");
  layer.attention.v_proj.weight = tensors.weight(prefix + "self_attn.v_proj");
  layer.attention.o_proj.weight = tensors.weight(prefix + "self_attn.o_proj");
  layer.post_norm = tensors.weight(prefix + "post_attention_layernorm");
  layer.gate_proj.weight = tensors.weight(prefix + "mlp.gate_proj");
  layer.up_proj.weight = tensors.weight(prefix + "mlp.up_proj");
  layer.down_proj.weight = tensors.weight(prefix + "mlp.down_proj");
  return layer;
}

/// Grouped-query goldens are no model directories: their shape and weights are read here.
inline Result<LoadedCheckpoint> load_grouped(const std::string& folder) {
  const Result<std::string> config = read_file(folder + "/config.json");
  if (!config) return config.error();
  Result<Safetensors> file = Safetensors::open(folder + "/model.safetensors");
  if (!file) return file.error();
  const ModelSpec spec = grouped_spec(nlohmann::json::parse(*config));
  GoldenTensors tensors(std::move(*file));
  auto weights = std::make_shared<ModelWeights>();
  weights->embed_tokens = tensors.weight("model.embed_tokens");
  for (int l = 0; l < spec.num_hidden_layers; ++l) {
    weights->layers.push_back(grouped_layer(tensors, "model.layers." + std::to_string(l) + "."));
  }
  weights->norm = tensors.weight("model.norm");
  weights->lm_head = tensors.weight("lm_head");
  if (!tensors.status()) return tensors.status().error();
  return LoadedCheckpoint{spec, std::move(weights)};
}

}  // namespace mla
