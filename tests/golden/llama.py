"""Attention of llama-type models (llama, mistral, qwen2), from its formulas, module names as in their checkpoints.

Their RoPE turns the pairs (i, i + dh/2) of a head. Recorded is the order of interleaved pairs, (2i, 2i + 1), which leaves
scores as they are; the second formulation turns halves.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


def rope_frequencies(config: dict, width: int) -> torch.Tensor:
    """[width / 2] radians per position."""
    frequencies = config["rope_theta"] ** -(torch.arange(0, width, 2, dtype=torch.float64) / width)
    scaling = config.get("rope_scaling") or {"rope_type": "default"}
    if scaling["rope_type"] == "linear":
        return frequencies / scaling["factor"]
    if scaling["rope_type"] != "llama3":
        return frequencies
    scaled = []
    for frequency in frequencies.tolist():
        wavelength = 2 * math.pi / frequency
        low = scaling["original_max_position_embeddings"] / scaling["low_freq_factor"]
        high = scaling["original_max_position_embeddings"] / scaling["high_freq_factor"]
        if wavelength > low:
            frequency /= scaling["factor"]
        elif wavelength >= high:
            blend = scaling["original_max_position_embeddings"] / wavelength - scaling["low_freq_factor"]
            blend /= scaling["high_freq_factor"] - scaling["low_freq_factor"]
            frequency = (1 - blend) * frequency / scaling["factor"] + blend * frequency
        scaled.append(frequency)
    return torch.tensor(scaled, dtype=torch.float64)


def interleave(x: torch.Tensor) -> torch.Tensor:
    """Values i and i + dh/2 become neighbours."""
    return torch.stack(x.chunk(2, -1), -1).flatten(-2)


def turn_pairs(x: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """x [T, ..., dh] of interleaved pairs, one complex product per position."""
    turned = []
    for position, row in enumerate(x):
        turn = torch.polar(torch.ones_like(frequencies), position * frequencies)
        turned.append(torch.view_as_real(torch.complex(row[..., 0::2], row[..., 1::2]) * turn).flatten(-2))
    return torch.stack(turned)


def turn_halves(x: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """x [T, ..., dh] as stored: x cos + (-second half, first half) sin."""
    angle = torch.arange(x.shape[0], dtype=torch.float64)[:, None] * torch.cat((frequencies, frequencies))
    angle = angle.view(x.shape[0], *[1] * (x.dim() - 2), -1)
    first, second = x.chunk(2, -1)
    return x * angle.cos() + torch.cat((-second, first), -1) * angle.sin()


class LlamaAttention(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        d, self.heads, self.groups = config["hidden_size"], config["num_attention_heads"], config["num_key_value_heads"]
        self.width = config.get("head_dim") or d // self.heads
        self.frequencies = rope_frequencies(config, self.width)
        bias, qwen = config.get("attention_bias", False), config["model_type"] == "qwen2"
        self.q_proj = nn.Linear(d, self.heads * self.width, bias=bias or qwen)
        self.k_proj = nn.Linear(d, self.groups * self.width, bias=bias or qwen)
        self.v_proj = nn.Linear(d, self.groups * self.width, bias=bias or qwen)
        self.o_proj = nn.Linear(self.heads * self.width, d, bias=bias)

    def split(self, x: torch.Tensor) -> list[torch.Tensor]:
        return [project(x).view(x.shape[0], -1, self.width) for project in (self.q_proj, self.k_proj, self.v_proj)]

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
        count = x.shape[0]
        q, k, v = self.split(x)
        q, k = (turn_pairs(interleave(t), self.frequencies) for t in (q, k))
        keys, values = (t.repeat_interleave(self.heads // self.groups, 1) for t in (k, v))
        scores = self.width**-0.5 * torch.einsum("thd,shd->hts", q, keys)
        causal = torch.ones(count, count, dtype=torch.bool).tril()
        weights = scores.masked_fill(~causal, -torch.inf).softmax(-1)
        out = self.o_proj(torch.einsum("hts,shv->thv", weights, values).flatten(1))
        torch.testing.assert_close(out, self.whole(x), rtol=1e-11, atol=1e-11)
        seen = {"attention": weights, "scores_nope": torch.zeros_like(scores), "scores_rope": scores.masked_fill(~causal, 0),
                "cache_key": k.flatten(1), "cache_value": v.flatten(1)}
        return out, seen

    def whole(self, x: torch.Tensor) -> torch.Tensor:
        """The second formulation: halves turned, PyTorch's grouped attention."""
        q, k, v = self.split(x)
        q, k = (turn_halves(t, self.frequencies) for t in (q, k))
        q, k, v = (t.transpose(0, 1)[None] for t in (q, k, v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return self.o_proj(mixed[0].transpose(0, 1).flatten(1))
