#include "core/spec/model_json.h"

#include "core/spec/json_fields.h"

namespace mla {

namespace {

nlohmann::ordered_json to_json(const Yarn& yarn) {
  return {{"type", "yarn"},
          {"factor", yarn.factor},
          {"original_max_position_embeddings", yarn.original_max_position_embeddings},
          {"beta_fast", yarn.beta_fast},
          {"beta_slow", yarn.beta_slow},
          {"mscale", yarn.mscale},
          {"mscale_all_dim", yarn.mscale_all_dim}};
}

nlohmann::ordered_json to_json(const Elastic& full) {
  return {{"num_attention_heads", full.num_attention_heads},
          {"kv_lora_rank", full.kv_lora_rank},
          {"qk_rope_head_dim", full.qk_rope_head_dim}};
}

Result<Elastic> elastic_from_json(const nlohmann::json& object, const std::string& where) {
  Fields fields(object, where);
  Elastic full;
  fields.read("num_attention_heads", full.num_attention_heads);
  fields.read("kv_lora_rank", full.kv_lora_rank);
  fields.read("qk_rope_head_dim", full.qk_rope_head_dim);
  if (auto status = fields.done(); !status) return status.error();
  return full;
}

Result<Yarn> yarn_from_json(const nlohmann::json& object, const std::string& where) {
  Fields fields(object, where);
  Yarn yarn;
  std::string type = "missing";
  fields.read("type", type);
  fields.read("factor", yarn.factor);
  fields.read("original_max_position_embeddings", yarn.original_max_position_embeddings);
  fields.read("beta_fast", yarn.beta_fast);
  fields.read("beta_slow", yarn.beta_slow);
  fields.read("mscale", yarn.mscale);
  fields.read("mscale_all_dim", yarn.mscale_all_dim);
  if (type != "yarn") fields.fail(Error{where + ": \"type\" is " + printable(type) + ": must be yarn"});
  if (auto status = fields.done(); !status) return status.error();
  return yarn;
}

void read_attention(Fields& fields, AttentionSpec& a) {
  fields.read_name("variant", a.variant, parse_variant);
  fields.read("hidden_size", a.hidden_size);
  fields.read("num_attention_heads", a.num_attention_heads);
  fields.read("num_key_value_heads", a.num_key_value_heads);
  fields.read("qk_nope_head_dim", a.qk_nope_head_dim);
  fields.read("qk_rope_head_dim", a.qk_rope_head_dim);
  fields.read("v_head_dim", a.v_head_dim);
  fields.read("kv_lora_rank", a.kv_lora_rank);
  fields.read("q_lora_rank", a.q_lora_rank);
  fields.read("trained_kv_lora_rank", a.trained_kv_lora_rank);
  fields.read("rope_theta", a.rope.theta);
}

}  // namespace

nlohmann::ordered_json to_json(const ModelSpec& spec) {
  const AttentionSpec& a = spec.attention;
  nlohmann::ordered_json json{{"variant", name_of(a.variant)},
                              {"block", name_of(spec.block)},
                              {"num_hidden_layers", spec.num_hidden_layers},
                              {"hidden_size", a.hidden_size},
                              {"num_attention_heads", a.num_attention_heads},
                              {"num_key_value_heads", a.num_key_value_heads},
                              {"qk_nope_head_dim", a.qk_nope_head_dim},
                              {"qk_rope_head_dim", a.qk_rope_head_dim},
                              {"v_head_dim", a.v_head_dim},
                              {"kv_lora_rank", a.kv_lora_rank},
                              {"q_lora_rank", a.q_lora_rank},
                              {"rope_theta", a.rope.theta},
                              {"rope_scaling", nullptr},
                              {"intermediate_size", spec.intermediate_size},
                              {"vocab_size", spec.vocab_size},
                              {"max_position_embeddings", spec.max_position_embeddings},
                              {"rms_norm_eps", spec.rms_norm_eps},
                              {"tie_word_embeddings", spec.tie_word_embeddings}};
  if (a.trained_kv_lora_rank > 0) json["trained_kv_lora_rank"] = a.trained_kv_lora_rank;
  if (a.elastic) json["elastic"] = to_json(*a.elastic);
  if (a.rope.yarn) json["rope_scaling"] = to_json(*a.rope.yarn);
  return json;
}

Result<ModelSpec> model_from_json(const nlohmann::json& object, const std::string& where, const ModelSpec& start) {
  Fields fields(object, where);
  ModelSpec spec = start;
  read_attention(fields, spec.attention);
  fields.read_name("block", spec.block, parse_block);
  fields.read("num_hidden_layers", spec.num_hidden_layers);
  fields.read("intermediate_size", spec.intermediate_size);
  fields.read("vocab_size", spec.vocab_size);
  fields.read("max_position_embeddings", spec.max_position_embeddings);
  fields.read("rms_norm_eps", spec.rms_norm_eps);
  fields.read("tie_word_embeddings", spec.tie_word_embeddings);
  if (const auto* scaling = fields.nested("rope_scaling")) {
    auto yarn = yarn_from_json(*scaling, where + ": rope_scaling");
    if (yarn) spec.attention.rope.yarn = *yarn;
    if (!yarn) fields.fail(yarn.error());
  } else if (object.contains("rope_scaling")) {
    spec.attention.rope.yarn.reset();
  }
  if (const auto* full = fields.nested("elastic")) {
    auto elastic = elastic_from_json(*full, where + ": elastic");
    if (elastic) spec.attention.elastic = *elastic;
    if (!elastic) fields.fail(elastic.error());
  }
  if (auto status = fields.done(); !status) return status.error();
  return spec;
}

}  // namespace mla
