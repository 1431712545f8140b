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

nlohmann::ordered_json to_json(const Llama3Rope& rope) {
  return {{"type", "llama3"},
          {"factor", rope.factor},
          {"low_freq_factor", rope.low_freq_factor},
          {"high_freq_factor", rope.high_freq_factor},
          {"original_max_position_embeddings", rope.original_max_position_embeddings}};
}

nlohmann::ordered_json scaling_to_json(const RopeSpec& rope) {
  if (rope.yarn) return to_json(*rope.yarn);
  if (rope.llama3) return to_json(*rope.llama3);
  if (rope.linear_factor != 1) return {{"type", "linear"}, {"factor", rope.linear_factor}};
  return nullptr;
}

void read_yarn(Fields& fields, Yarn& yarn) {
  fields.read("factor", yarn.factor);
  fields.read("original_max_position_embeddings", yarn.original_max_position_embeddings);
  fields.read("beta_fast", yarn.beta_fast);
  fields.read("beta_slow", yarn.beta_slow);
  fields.read("mscale", yarn.mscale);
  fields.read("mscale_all_dim", yarn.mscale_all_dim);
}

void read_llama3(Fields& fields, Llama3Rope& rope) {
  fields.read("factor", rope.factor);
  fields.read("low_freq_factor", rope.low_freq_factor);
  fields.read("high_freq_factor", rope.high_freq_factor);
  fields.read("original_max_position_embeddings", rope.original_max_position_embeddings);
}

/// Replaces whatever scaling `rope` had.
Status read_scaling(const nlohmann::json& object, const std::string& where, RopeSpec& rope) {
  rope = {.theta = rope.theta};
  if (object.is_null()) return {};
  Fields fields(object, where);
  std::string type = "missing";
  fields.read("type", type);
  if (type == "yarn") {
    read_yarn(fields, rope.yarn.emplace());
  } else if (type == "llama3") {
    read_llama3(fields, rope.llama3.emplace());
  } else if (type == "linear") {
    fields.read("factor", rope.linear_factor);
  } else {
    fields.fail(Error{where + ": \"type\" is " + printable(type) + ": must be yarn, llama3 or linear"});
  }
  return fields.done();
}

nlohmann::ordered_json to_json(const MoeSpec& moe) {
  return {{"n_routed_experts", moe.n_routed_experts},
          {"num_experts_per_tok", moe.num_experts_per_tok},
          {"moe_intermediate_size", moe.moe_intermediate_size},
          {"n_shared_experts", moe.n_shared_experts},
          {"first_k_dense_replace", moe.first_k_dense_replace},
          {"moe_layer_freq", moe.moe_layer_freq},
          {"n_group", moe.n_group},
          {"topk_group", moe.topk_group},
          {"scoring_func", name_of(moe.scoring_func)},
          {"topk_method", name_of(moe.topk_method)},
          {"norm_topk_prob", moe.norm_topk_prob},
          {"routed_scaling_factor", moe.routed_scaling_factor}};
}

void read_moe(Fields& fields, MoeSpec& moe) {
  fields.read("n_routed_experts", moe.n_routed_experts);
  fields.read("num_experts_per_tok", moe.num_experts_per_tok);
  fields.read("moe_intermediate_size", moe.moe_intermediate_size);
  fields.read("n_shared_experts", moe.n_shared_experts);
  fields.read("first_k_dense_replace", moe.first_k_dense_replace);
  fields.read("moe_layer_freq", moe.moe_layer_freq);
  fields.read("n_group", moe.n_group);
  fields.read("topk_group", moe.topk_group);
  fields.read_name("scoring_func", moe.scoring_func, parse_scoring_func);
  fields.read_name("topk_method", moe.topk_method, parse_topk_method);
  fields.read("norm_topk_prob", moe.norm_topk_prob);
  fields.read("routed_scaling_factor", moe.routed_scaling_factor);
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
  fields.read("joint_rank", a.joint_rank);
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
  if (a.joint_rank > 0) json["joint_rank"] = a.joint_rank;
  if (a.elastic) json["elastic"] = to_json(*a.elastic);
  json["rope_scaling"] = scaling_to_json(a.rope);
  if (spec.moe) json.update(to_json(*spec.moe));
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
  fields.nested("rope_scaling");  // known, whatever it holds
  if (object.contains("rope_scaling"))
    fields.fail(read_scaling(object["rope_scaling"], where + ": rope_scaling", spec.attention.rope));
  if (fields.nested("n_routed_experts")) {
    if (!spec.moe) spec.moe.emplace();
  } else if (object.contains("n_routed_experts")) {
    spec.moe.reset();
  }
  if (const auto* full = fields.nested("elastic")) {
    auto elastic = elastic_from_json(*full, where + ": elastic");
    if (elastic) spec.attention.elastic = *elastic;
    if (!elastic) fields.fail(elastic.error());
  }
  if (spec.moe) read_moe(fields, *spec.moe);
  if (auto status = fields.done(); !status) return status.error();
  return spec;
}

}  // namespace mla
