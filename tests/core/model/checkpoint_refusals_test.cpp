// Configurations that a checkpoint's tensors, or the engine, do not go with.
#include <gtest/gtest.h>

#include <vector>

#include "tests/core/model/checkpoint_copy.h"

namespace mla {
namespace {

using nlohmann::json;

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

}  // namespace
}  // namespace mla
