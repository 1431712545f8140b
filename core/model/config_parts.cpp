#include "core/model/config_parts.h"

namespace mla {
namespace {

using nlohmann::json;

double read_factor(ConfigFields& scaling) {
  const double factor = scaling.number("factor");
  if (factor < 1) scaling.refuse("factor", "it must be at least 1");
  return factor;
}

Yarn read_yarn(ConfigFields& scaling) {
  Yarn yarn;
  yarn.factor = read_factor(scaling);
  yarn.original_max_position_embeddings =
      scaling.count("original_max_position_embeddings", yarn.original_max_position_embeddings);
  yarn.beta_fast = scaling.number("beta_fast", yarn.beta_fast);
  yarn.beta_slow = scaling.number("beta_slow", yarn.beta_slow);
  yarn.mscale = scaling.number("mscale", yarn.mscale, true);
  yarn.mscale_all_dim = scaling.number("mscale_all_dim", yarn.mscale_all_dim, true);
  return yarn;
}

Llama3Rope read_llama3(ConfigFields& scaling) {
  Llama3Rope rope;
  rope.factor = read_factor(scaling);
  rope.low_freq_factor = scaling.number("low_freq_factor");
  rope.high_freq_factor = scaling.number("high_freq_factor");
  rope.original_max_position_embeddings = scaling.count("original_max_position_embeddings");
  return rope;
}

void read_scaling(ConfigFields& scaling, RopeScaling known, int max_positions, RopeSpec& rope) {
  const char* const field = scaling.has("rope_type") ? "rope_type" : "type";
  const std::string type = scaling.text(field);
  if (known == RopeScaling::yarn && type == "yarn") {
    const Yarn yarn = read_yarn(scaling);
    if (max_positions > yarn.original_max_position_embeddings) rope.yarn = yarn;
  } else if (known == RopeScaling::llama && type == "linear") {
    rope.linear_factor = read_factor(scaling);
  } else if (known == RopeScaling::llama && type == "llama3") {
    rope.llama3 = read_llama3(scaling);
  } else if (type != "default") {
    scaling.refuse(field,
                   known == RopeScaling::yarn ? "known are yarn and default" : "known are linear, llama3 and default");
  }
}

void refuse_partial_rotation(ConfigFields& fields) {
  if (fields.number("partial_rotary_factor", 1) != 1)
    fields.refuse("partial_rotary_factor", "heads that are rotated in part are not built");
}

/// Two counts, or the usual ones where there are none.
ScaleBlock read_block(ConfigFields& quantization, const json& object) {
  ScaleBlock block;
  if (!quantization.has("weight_block_size")) return block;
  const json& size = object["weight_block_size"];
  const auto is_count = [](const json& n) {
    return n.is_number_unsigned() && n.get<std::uint64_t>() >= 1 && n.get<std::uint64_t>() <= std::uint64_t(max_count);
  };
  if (size.is_array() && size.size() == 2 && is_count(size[0]) && is_count(size[1])) return {size[0], size[1]};
  quantization.refuse("weight_block_size", "it must be two whole numbers from 1 to " + std::to_string(max_count));
  return block;
}

}  // namespace

Result<RopeSpec> read_rope(const std::string& path, ConfigFields& config, RopeScaling known, int max_positions) {
  RopeSpec rope;
  rope.theta = config.number("rope_theta", rope.theta);
  if (known == RopeScaling::llama) refuse_partial_rotation(config);
  const std::string name = config.has("rope_parameters") ? "rope_parameters" : "rope_scaling";
  const json* const object = config.object(name);
  if (!object) return rope;
  ConfigFields scaling(path + ": " + name, *object);
  rope.theta = scaling.number("rope_theta", rope.theta);
  if (known == RopeScaling::llama) refuse_partial_rotation(scaling);
  read_scaling(scaling, known, max_positions, rope);
  if (!scaling.status()) return scaling.status().error();
  return rope;
}

std::optional<MoeSpec> read_moe(ConfigFields& config, bool v3, int layers) {
  MoeSpec moe;
  moe.n_routed_experts = config.count("n_routed_experts", 0, 0);
  moe.first_k_dense_replace = config.count("first_k_dense_replace", 0, 0);
  moe.moe_layer_freq = config.count("moe_layer_freq", 1);
  if (moe.n_routed_experts == 0 || moe.first_k_dense_replace >= layers) return {};
  moe.num_experts_per_tok = config.count("num_experts_per_tok");
  moe.moe_intermediate_size = config.count("moe_intermediate_size");
  moe.n_shared_experts = config.count("n_shared_experts", 0, 0);
  moe.n_group = config.count("n_group", 1);
  moe.topk_group = config.count("topk_group", 1);
  moe.norm_topk_prob = config.flag("norm_topk_prob", v3);
  moe.routed_scaling_factor = config.number("routed_scaling_factor", v3 ? 2.5 : 1);
  const auto scoring = parse_scoring_func(config.text("scoring_func", v3 ? "sigmoid" : "softmax"));
  if (scoring) moe.scoring_func = *scoring;
  if (!scoring) config.refuse("scoring_func", "known are softmax and sigmoid");
  const auto method = parse_topk_method(config.text("topk_method", v3 ? "noaux_tc" : "greedy"));
  if (method) moe.topk_method = *method;
  if (!method) config.refuse("topk_method", "known are greedy, group_limited_greedy and noaux_tc");
  return moe;
}

Result<std::optional<ScaleBlock>> read_fp8(const std::string& path, ConfigFields& config) {
  const json* const object = config.object("quantization_config");
  if (!object) return std::optional<ScaleBlock>();
  ConfigFields quantization(path + ": quantization_config", *object);
  if (quantization.text("quant_method") != "fp8") quantization.refuse("quant_method", "known is fp8");
  if (quantization.text("fmt", "e4m3") != "e4m3") quantization.refuse("fmt", "known is e4m3");
  const ScaleBlock block = read_block(quantization, *object);
  if (!quantization.status()) return quantization.status().error();
  return std::optional(block);
}

}  // namespace mla
