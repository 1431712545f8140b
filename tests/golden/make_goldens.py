"""Writes the golden models and what they must compute: python make_goldens.py (needs PyTorch and safetensors).

Each folder becomes a model directory (config.json, model.safetensors or shards) with its input (tokens.json, or inputs.safetensors
with x [T, d]) and expected.safetensors, named and shaped as `mla-explorer decode --dump` writes it. Weights are float32
where stored.py does not say otherwise; everything is computed from them in float64 and stored as float32.
"""

import json
import pathlib

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from deepseek_mla import DeepseekModel
from grouped_query import GroupedAttention
from llama import LlamaAttention
from stored import round_to_fp8, save_shards, save_tensors
from toy_mla import ToyBlock

HERE = pathlib.Path(__file__).parent

# T is the number of tokens. The dimensions are small, unequal and partly odd, so that a mixed-up pair shows.
DEEPSEEK = {
    "mla-plain": dict(
        T=7, model_type="deepseek_v2", hidden_size=48, intermediate_size=72, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=50, q_lora_rank=None, kv_lora_rank=24, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=12,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=512, tie_word_embeddings=False),
    "mla-q-lora": dict(
        T=6, model_type="deepseek_v3", hidden_size=40, intermediate_size=56, num_hidden_layers=2, num_attention_heads=6,
        vocab_size=64, q_lora_rank=20, kv_lora_rank=16, qk_nope_head_dim=12, qk_rope_head_dim=4, v_head_dim=8,
        rope_theta=500000.0, rms_norm_eps=1e-5, max_position_embeddings=1024, tie_word_embeddings=True,
        num_key_value_heads=6, n_routed_experts=8, first_k_dense_replace=2, rope_scaling=None),
    "mla-yarn": dict(
        T=9, model_type="deepseek_v3", hidden_size=48, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=48, q_lora_rank=18, kv_lora_rank=20, qk_nope_head_dim=12, qk_rope_head_dim=16, v_head_dim=12,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=163840, tie_word_embeddings=False,
        rope_scaling=dict(type="yarn", factor=40.0, original_max_position_embeddings=4096, beta_fast=32, beta_slow=1,
                          mscale=1.0, mscale_all_dim=0.7)),
    # Three heads and odd dimensions; biases; YaRN configured but idle, because the model is no longer than originally.
    "mla-odd": dict(
        T=5, model_type="deepseek_v2", hidden_size=31, intermediate_size=43, num_hidden_layers=2, num_attention_heads=3,
        vocab_size=37, q_lora_rank=11, kv_lora_rank=9, qk_nope_head_dim=5, qk_rope_head_dim=6, v_head_dim=7,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=64, tie_word_embeddings=False, attention_bias=True,
        rope_scaling=dict(type="yarn", factor=8.0, original_max_position_embeddings=64, mscale=1.0, mscale_all_dim=1.0)),
}
# Not model directories yet (no published model rotates like this): the same decoder around grouped-query attention.
GROUPED = {
    name: dict(T=6, model_type=name, hidden_size=hidden, intermediate_size=40, num_hidden_layers=2, vocab_size=32,
               num_attention_heads=heads, num_key_value_heads=groups, qk_nope_head_dim=nope, qk_rope_head_dim=rope,
               rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=64, tie_word_embeddings=False)
    for name, hidden, heads, groups, nope, rope in (
        ("mha", 36, 3, 3, 5, 6), ("gqa", 40, 6, 2, 4, 8), ("mqa", 36, 5, 1, 2, 6))
}
TOY = {
    "toy": dict(T=7, model_type="toy-mla", hidden_size=64, num_attention_heads=8, q_lora_rank=6, kv_lora_rank=4,
                num_hidden_layers=1),
    "toy-odd": dict(T=5, model_type="toy-mla", hidden_size=33, num_attention_heads=3, q_lora_rank=5, kv_lora_rank=7,
                    num_hidden_layers=1),
}

# Experts: in groups by their best one; in groups by their two best biased ones, few heads and YaRN; greedy in every second
# layer, without shared ones.
EXPERTS = {
    "moe-softmax": dict(
        T=7, model_type="deepseek_v2", hidden_size=32, intermediate_size=48, num_hidden_layers=3, num_attention_heads=4,
        vocab_size=40, q_lora_rank=None, kv_lora_rank=16, qk_nope_head_dim=8, qk_rope_head_dim=8, v_head_dim=12,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=512, tie_word_embeddings=False,
        n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=16, n_shared_experts=2, first_k_dense_replace=1,
        moe_layer_freq=1, n_group=4, topk_group=2, scoring_func="softmax", topk_method="group_limited_greedy",
        norm_topk_prob=False, routed_scaling_factor=16.0),
    "moe-sigmoid": dict(
        T=9, model_type="deepseek_v3", hidden_size=30, intermediate_size=40, num_hidden_layers=3, num_attention_heads=5,
        vocab_size=44, q_lora_rank=14, kv_lora_rank=18, qk_nope_head_dim=10, qk_rope_head_dim=12, v_head_dim=8,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=163840, tie_word_embeddings=True,
        rope_scaling=dict(type="yarn", factor=40.0, original_max_position_embeddings=4096, beta_fast=32, beta_slow=1,
                          mscale=1.0, mscale_all_dim=1.0),
        n_routed_experts=12, num_experts_per_tok=4, moe_intermediate_size=11, n_shared_experts=1, first_k_dense_replace=1,
        moe_layer_freq=1, n_group=4, topk_group=2, scoring_func="sigmoid", topk_method="noaux_tc", norm_topk_prob=True,
        routed_scaling_factor=2.5),
    "moe-odd": dict(
        T=5, model_type="deepseek_v2", hidden_size=27, intermediate_size=33, num_hidden_layers=3, num_attention_heads=3,
        vocab_size=33, q_lora_rank=9, kv_lora_rank=11, qk_nope_head_dim=7, qk_rope_head_dim=6, v_head_dim=5,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=64, tie_word_embeddings=False,
        n_routed_experts=5, num_experts_per_tok=2, moe_intermediate_size=13, n_shared_experts=None, first_k_dense_replace=0,
        moe_layer_freq=2, n_group=None, topk_group=None, scoring_func="softmax", topk_method="greedy", norm_topk_prob=True,
        routed_scaling_factor=1.0),
    # Blocks that neither rows nor columns are multiples of.
    "fp8": dict(
        T=6, model_type="deepseek_v3", hidden_size=40, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=36, q_lora_rank=20, kv_lora_rank=18, qk_nope_head_dim=10, qk_rope_head_dim=8, v_head_dim=9,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=512, tie_word_embeddings=False,
        n_routed_experts=6, num_experts_per_tok=2, moe_intermediate_size=20, n_shared_experts=1, first_k_dense_replace=1,
        n_group=2, topk_group=1, scoring_func="sigmoid", topk_method="noaux_tc", norm_topk_prob=True,
        routed_scaling_factor=1.5,
        quantization_config=dict(activation_scheme="dynamic", fmt="e4m3", quant_method="fp8", weight_block_size=[16, 12])),
    # In shards, with the tensors of a layer behind the last that predicts a further token.
    "sharded": dict(
        T=6, model_type="deepseek_v3", hidden_size=36, intermediate_size=44, num_hidden_layers=2, num_attention_heads=4,
        vocab_size=40, q_lora_rank=12, kv_lora_rank=14, qk_nope_head_dim=8, qk_rope_head_dim=4, v_head_dim=10,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=512, tie_word_embeddings=False,
        num_nextn_predict_layers=1),
    "mla-halves": dict(
        T=6, model_type="deepseek_v3", hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
        vocab_size=32, q_lora_rank=None, kv_lora_rank=12, qk_nope_head_dim=6, qk_rope_head_dim=8, v_head_dim=7,
        rope_theta=10000.0, rms_norm_eps=1e-6, max_position_embeddings=512, tie_word_embeddings=False,
        attention_bias=True, rope_interleave=False),
}
LLAMA = {
    "llama-tied": dict(
        T=8, model_type="llama", hidden_size=36, intermediate_size=50, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=2, head_dim=10, vocab_size=45, rope_theta=500.0, rms_norm_eps=1e-5, max_position_embeddings=512,
        tie_word_embeddings=True,
        rope_scaling=dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                          original_max_position_embeddings=64)),
    "llama-mha": dict(
        T=7, model_type="llama", hidden_size=30, intermediate_size=44, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=3, head_dim=None, vocab_size=35, rope_theta=10000.0, rms_norm_eps=1e-6,
        max_position_embeddings=256, tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
        rope_scaling=dict(rope_type="linear", factor=4.0)),
    "qwen2": dict(
        T=6, model_type="qwen2", hidden_size=32, intermediate_size=36, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=1, vocab_size=33, rope_theta=1000000.0, rms_norm_eps=1e-6, max_position_embeddings=256,
        tie_word_embeddings=False, use_sliding_window=False, sliding_window=128, rope_scaling=None),
}

# Factors on the parameters whose names end so (and on x): values so small that the epsilon of every kind of norm shows.
SCALED = {
    "mla-q-lora": {"embed_tokens.weight": 0.05, "q_a_proj.weight": 0.02, "kv_a_proj_with_mqa.weight": 0.02},
    "toy-odd": {"x": 0.03, "Wo.weight": 0.02, "Wo.bias": 0.02, "Wq_d.weight": 30, "Wkv_d.weight": 30},
}


def randomise(model: nn.Module, factors: dict, generator: torch.Generator) -> None:
    """Float32 values under which attention is neither uniform nor one-hot, and norms and biases are not the identity."""
    for parameter in model.parameters():
        noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float32)
        values = 1.5 * noise / parameter.shape[1] ** 0.5 if parameter.dim() == 2 else 0.3 * noise
        parameter.data = values.double()
    for module in model.modules():
        if isinstance(module, (nn.LayerNorm, nn.RMSNorm)):
            module.weight.data = (1 + module.weight.data).float().double()
    for name, parameter in model.named_parameters():
        for ending, factor in factors.items():
            if name.endswith(ending):
                parameter.data = (factor * parameter.data).float().double()


def save(path: pathlib.Path, tensors: dict) -> None:
    save_file({name: np.ascontiguousarray(t.detach().to(torch.float32).numpy()) for name, t in tensors.items()}, path)
    path.chmod(0o644)


def further_layer(config: dict) -> dict:
    """Some tensors of a layer that predicts a further token, of any shape: they are not to be used."""
    start = f"model.layers.{config['num_hidden_layers']}."
    return {start + "eh_proj.weight": torch.ones(3, 6), start + "enorm.weight": torch.ones(3),
            start + "embed_tokens.weight": torch.ones(2, 3)}


def write(name: str, config: dict, model: nn.Module, expected: dict, stored: dict | None = None) -> None:
    folder = HERE / name
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if stored:
        save_tensors(folder / "model.safetensors", stored)
    elif name == "sharded":
        save_shards(folder, {n: t.float() for n, t in (model.state_dict() | further_layer(config)).items()}, 3)
    else:
        save(folder / "model.safetensors", model.state_dict())
    save(folder / "expected.safetensors", expected)
    attention = expected["attention"]
    print(f"{name}: largest weight of the last query, mean over layers and heads: {attention[:, :, -1].amax(-1).mean():.3f}")


def make_toy(name: str, config: dict, generator: torch.Generator) -> None:
    config = dict(config)
    tokens = config.pop("T")
    model = ToyBlock(config["hidden_size"], config["num_attention_heads"], config["q_lora_rank"], config["kv_lora_rank"])
    model.double()
    factors = SCALED.get(name, {})
    randomise(model, factors, generator)
    x = factors.get("x", 1) * torch.randn(tokens, config["hidden_size"], generator=generator, dtype=torch.float32)
    (HERE / name).mkdir(exist_ok=True)
    save(HERE / name / "inputs.safetensors", {"x": x})
    write(name, config, model, model.expected(x.double()))


def make_decoder(name: str, config: dict, generator: torch.Generator) -> None:
    config = dict(config)
    count = config.pop("T")
    attention = [GroupedAttention] if name in GROUPED else [LlamaAttention] if name in LLAMA else []
    model = DeepseekModel(config, *attention).double()
    randomise(model, SCALED.get(name, {}), generator)
    quantised, stored = config.get("quantization_config"), None
    if quantised:
        stored = round_to_fp8(model, quantised["weight_block_size"], generator)
    tokens = torch.randint(config["vocab_size"], (count,), generator=generator)
    (HERE / name).mkdir(exist_ok=True)
    (HERE / name / "tokens.json").write_text(json.dumps(tokens.tolist()) + "\n")
    write(name, config, model, model.expected(tokens), stored)


def main() -> None:
    torch.set_default_dtype(torch.float64)
    generator = torch.Generator().manual_seed(20240507)
    with torch.no_grad():
        for name, config in TOY.items():
            make_toy(name, config, generator)
        for name, config in (DEEPSEEK | GROUPED | EXPERTS | LLAMA).items():
            make_decoder(name, config, generator)


if __name__ == "__main__":
    main()
