"""How checkpoints are stored: in one file of float32, in shards, or as fp8 with one scale a block."""

import json
import math
import pathlib

import torch
from safetensors.torch import save_file
from torch import nn


def round_to_fp8(model: nn.Module, block: list[int], generator: torch.Generator) -> dict:
    """Sets the model to what an fp8 checkpoint can hold, and returns its tensors: E4M3 codes and float32 scales for the
    projections, float32 selection biases, bfloat16 for all else."""
    stored = {}
    for name, parameter in model.named_parameters():
        if "_proj" not in name:
            kept = parameter.data.float() if name.endswith("e_score_correction_bias") else parameter.data.bfloat16()
            stored[name] = kept
            parameter.data = kept.double()
            continue
        rows, cols = parameter.shape
        blocks = math.ceil(rows / block[0]), math.ceil(cols / block[1])
        scale = (0.5 + torch.rand(blocks, generator=generator, dtype=torch.float32)) / 100
        spread = scale.repeat_interleave(block[0], 0)[:rows].repeat_interleave(block[1], 1)[:, :cols]
        codes = (parameter.data.float() / spread).clamp(-448, 448).to(torch.float8_e4m3fn)
        stored[name], stored[name + "_scale_inv"] = codes, scale
        parameter.data = (codes.float() * spread).double()  # the product is rounded to float32 once
    return stored


def save_tensors(path: pathlib.Path, tensors: dict) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)
    path.chmod(0o644)


def save_shards(folder: pathlib.Path, tensors: dict, count: int) -> None:
    """Tensors go round the shards, so that every layer is in all of them."""
    names = {f"model-{i + 1:05}-of-{count:05}.safetensors": list(tensors)[i::count] for i in range(count)}
    for shard, held in names.items():
        save_tensors(folder / shard, {name: tensors[name] for name in held})
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    index = {"metadata": {"total_size": size}, "weight_map": {name: shard for shard in names for name in names[shard]}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=2, sort_keys=True) + "\n")
