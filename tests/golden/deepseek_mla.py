"""DeepSeek-V2/V3, from its formulas, module names as in its checkpoints.

Attention is computed twice and the two must agree: by parts, absorbed, with the rotation of each pair written out (that is
what is recorded), and whole, over expanded keys and values, with complex rotations and PyTorch's own attention.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from llama import interleave, turn_halves
from mixture import Experts, has_experts

LATENT_EPS = 1e-6  # of the norms inside attention, whatever rms_norm_eps says


def active_yarn(config: dict) -> dict | None:
    """DeepSeek's own code turns YaRN on only for a model that is longer than it was originally."""
    scaling = config.get("rope_scaling")
    if scaling and config["max_position_embeddings"] > scaling["original_max_position_embeddings"]:
        return {"beta_fast": 32, "beta_slow": 1, "mscale": 1, "mscale_all_dim": 0} | scaling
    return None


def yarn_magnitude(factor: float, mscale: float) -> float:
    return 0.1 * mscale * math.log(factor) + 1 if factor > 1 else 1.0


def rope_frequencies(config: dict) -> torch.Tensor:
    """[r/2] radians per position."""
    r, theta = config["qk_rope_head_dim"], config["rope_theta"]
    frequencies = theta ** -(torch.arange(0, r, 2, dtype=torch.float64) / r)
    yarn = active_yarn(config)
    if not yarn:
        return frequencies

    def pair_of(rotations: float) -> float:
        """The pair that turns so often over the original length."""
        return r * math.log(yarn["original_max_position_embeddings"] / (2 * math.pi * rotations)) / (2 * math.log(theta))

    low, high = max(math.floor(pair_of(yarn["beta_fast"])), 0), min(math.ceil(pair_of(yarn["beta_slow"])), r - 1)
    ramp = ((torch.arange(r // 2, dtype=torch.float64) - low) / (high - low + (0.001 if low == high else 0))).clamp(0, 1)
    return frequencies / yarn["factor"] * ramp + frequencies * (1 - ramp)


def rotate(x: torch.Tensor, config: dict) -> torch.Tensor:
    """x [T, ..., r]: pairs (2i, 2i+1) turned by position times frequency; stored halves become pairs first."""
    if not config.get("rope_interleave", True):
        x = interleave(x)
    yarn = active_yarn(config)
    gain = 1.0
    if yarn:
        gain = yarn_magnitude(yarn["factor"], yarn["mscale"]) / yarn_magnitude(yarn["factor"], yarn["mscale_all_dim"])
    angle = torch.arange(x.shape[0], dtype=torch.float64)[:, None] * rope_frequencies(config)
    angle = angle.view(x.shape[0], *[1] * (x.dim() - 2), -1)
    cos, sin = gain * angle.cos(), gain * angle.sin()
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


def rotate_complex(x: torch.Tensor, config: dict) -> torch.Tensor:
    """The same as rotate, as a product of complex numbers, one position after the other. Halves are turned as they are,
    which permutes queries and keys alike."""
    if not config.get("rope_interleave", True):
        return turn_halves(x, rope_frequencies(config))
    yarn = active_yarn(config) or {"factor": 1, "mscale": 1, "mscale_all_dim": 1}
    gain = yarn_magnitude(yarn["factor"], yarn["mscale"]) / yarn_magnitude(yarn["factor"], yarn["mscale_all_dim"])
    turned = []
    for position, row in enumerate(x):
        turn = torch.polar(torch.full((x.shape[-1] // 2,), gain), position * rope_frequencies(config))
        turned.append(torch.view_as_real(torch.complex(row[..., 0::2], row[..., 1::2]) * turn).flatten(-2))
    return torch.stack(turned)


def score_scale(config: dict) -> float:
    yarn = active_yarn(config)
    magnitude = yarn_magnitude(yarn["factor"], yarn["mscale_all_dim"]) if yarn else 1.0
    return (config["qk_nope_head_dim"] + config["qk_rope_head_dim"]) ** -0.5 * magnitude**2


class Attention(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.heads, self.c = config["num_attention_heads"], config["kv_lora_rank"]
        self.n, self.r, self.v = config["qk_nope_head_dim"], config["qk_rope_head_dim"], config["v_head_dim"]
        d, cq, bias = config["hidden_size"], config["q_lora_rank"], config.get("attention_bias", False)
        if cq is None:
            self.q_proj = nn.Linear(d, self.heads * (self.n + self.r), bias=False)
        else:
            self.q_a_proj = nn.Linear(d, cq, bias=bias)
            self.q_a_layernorm = nn.RMSNorm(cq, eps=LATENT_EPS)
            self.q_b_proj = nn.Linear(cq, self.heads * (self.n + self.r), bias=False)
        self.kv_a_proj_with_mqa = nn.Linear(d, self.c + self.r, bias=bias)
        self.kv_a_layernorm = nn.RMSNorm(self.c, eps=LATENT_EPS)
        self.kv_b_proj = nn.Linear(self.c, self.heads * (self.n + self.v), bias=False)
        self.o_proj = nn.Linear(self.heads * self.v, d, bias=bias)

    def queries(self, x: torch.Tensor) -> torch.Tensor:
        """[T, H, n + r], not yet rotated."""
        if self.config["q_lora_rank"] is None:
            flat = self.q_proj(x)
        else:
            flat = self.q_b_proj(self.q_a_layernorm(self.q_a_proj(x)))
        return flat.view(x.shape[0], self.heads, self.n + self.r)

    def latents(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The latent after its norm [T, c] and the key to be rotated [T, r]."""
        latent, key = self.kv_a_proj_with_mqa(x).split((self.c, self.r), -1)
        return self.kv_a_layernorm(latent), key

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
        """By parts, absorbed: the key half of kv_b_proj goes into the query, the value half is applied last."""
        latent, key = self.latents(x)
        key = rotate(key, self.config)
        nope, rope = self.queries(x).split((self.n, self.r), -1)
        w_uk, w_uv = self.kv_b_proj.weight.view(self.heads, self.n + self.v, self.c).split((self.n, self.v), 1)
        scale = score_scale(self.config)
        scores_nope = scale * torch.einsum("thn,hnc,sc->hts", nope, w_uk, latent)
        scores_rope = scale * torch.einsum("thr,sr->hts", rotate(rope, self.config), key)
        causal = torch.ones(x.shape[0], x.shape[0], dtype=torch.bool).tril()
        weights = (scores_nope + scores_rope).masked_fill(~causal, -torch.inf).softmax(-1)
        mixed = torch.einsum("hts,sc,hvc->thv", weights, latent, w_uv)
        out = self.o_proj(mixed.flatten(1))
        torch.testing.assert_close(out, self.whole(x), rtol=1e-11, atol=1e-11)
        seen = {"attention": weights, "scores_nope": scores_nope.masked_fill(~causal, 0),
                "scores_rope": scores_rope.masked_fill(~causal, 0), "cache_latent": latent, "cache_rope": key}
        return out, seen

    def whole(self, x: torch.Tensor) -> torch.Tensor:
        """The second formulation: keys and values of every head expanded, PyTorch's attention over them."""
        latent, key = self.latents(x)
        expanded = self.kv_b_proj(latent).view(x.shape[0], self.heads, self.n + self.v)
        shared = rotate_complex(key, self.config)[:, None].expand(-1, self.heads, -1)
        keys = torch.cat((expanded[..., : self.n], shared), -1)
        queries = self.queries(x)
        queries = torch.cat((queries[..., : self.n], rotate_complex(queries[..., self.n :], self.config)), -1)
        q, k, v = (t.transpose(0, 1)[None] for t in (queries, keys, expanded[..., self.n :]))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=score_scale(self.config))
        return self.o_proj(mixed[0].transpose(0, 1).flatten(1))


class FeedForward(nn.Module):
    def __init__(self, d: int, width: int, bias: bool = False):
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(d, width, bias=bias), nn.Linear(d, width, bias=bias)
        self.down_proj = nn.Linear(width, d, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, config: dict, attention: type[nn.Module], index: int):
        super().__init__()
        d, eps = config["hidden_size"], config["rms_norm_eps"]
        self.input_layernorm = nn.RMSNorm(d, eps=eps)
        self.self_attn = attention(config)
        self.post_attention_layernorm = nn.RMSNorm(d, eps=eps)
        if has_experts(config, index):
            self.mlp = Experts(config, FeedForward)
        else:
            self.mlp = FeedForward(d, config["intermediate_size"], config.get("mlp_bias", False))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
        attended, seen = self.self_attn(self.input_layernorm(x))
        x = x + attended
        return x + self.mlp(self.post_attention_layernorm(x)), seen


class DeepseekModel(nn.Module):
    def __init__(self, config: dict, attention: type[nn.Module] = Attention):
        super().__init__()
        d, vocab = config["hidden_size"], config["vocab_size"]
        self.model = nn.Module()
        self.model.embed_tokens = nn.Embedding(vocab, d)
        self.model.layers = nn.ModuleList(Layer(config, attention, i) for i in range(config["num_hidden_layers"]))
        self.model.norm = nn.RMSNorm(d, eps=config["rms_norm_eps"])
        if not config["tie_word_embeddings"]:
            self.lm_head = nn.Linear(d, vocab, bias=False)

    def expected(self, tokens: torch.Tensor) -> dict:
        """All tensors of the dump, layers first."""
        x, seen = self.model.embed_tokens(tokens), []
        for layer in self.model.layers:
            x, of_layer = layer(x)
            seen.append(of_layer)
        head = self.lm_head.weight if hasattr(self, "lm_head") else self.model.embed_tokens.weight
        logits = self.model.norm(x) @ head.T
        return {"logits": logits} | {name: torch.stack([s[name] for s in seen]) for name in seen[0]}
