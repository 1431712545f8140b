"""The two attentions that are trained: elastic multi-head latent attention, and plain grouped-query attention.

Both are small decoders with RMSNorm, a SwiGLU feed-forward and tied embeddings, and write their weights under the names of a
Hugging Face checkpoint: `deepseek_v3` (dense layers, RoPE pairs interleaved) and `llama` (RoPE in halves).
"""

from dataclasses import asdict, dataclass

import torch
from torch import nn
from torch.nn import functional as F

LATENT_EPS = 1e-6  # of the norm inside attention, as in DeepSeek's code


@dataclass(frozen=True)
class Shape:
    variant: str = "mla"  # mla, mha, gqa or mqa
    hidden_size: int = 192
    num_hidden_layers: int = 4
    num_attention_heads: int = 6
    num_key_value_heads: int = 6  # of the plain ones
    qk_nope_head_dim: int = 32
    qk_rope_head_dim: int = 16
    v_head_dim: int = 32  # and head_dim of the plain ones
    kv_lora_rank: int = 64
    intermediate_size: int = 352
    vocab_size: int = 1024
    context: int = 512
    rope_theta: float = 10000.0
    rms_norm_eps: float = 1e-6

    def as_dict(self) -> dict:
        return asdict(self)


def shape_of(variant: str) -> Shape:
    return Shape(variant, num_key_value_heads={"mla": 6, "mha": 6, "gqa": 2, "mqa": 1}[variant])


@dataclass
class Slices:
    """What each sequence of a batch keeps: the first values of the latent, of the RoPE part, and of the heads."""

    kept: torch.Tensor  # [B, 1, 1] latent values kept
    latent: torch.Tensor  # [B, 1, kv_lora_rank], 1 where kept
    rope: torch.Tensor  # [B, 1, qk_rope_head_dim]
    heads: torch.Tensor  # [B, heads, 1, 1]


def full_slices(shape: Shape, batch: int) -> Slices:
    return slices_at(shape, *(torch.full((batch,), size) for size in
                              (shape.kv_lora_rank, shape.qk_rope_head_dim, shape.num_attention_heads)))


def slices_at(shape: Shape, latent: torch.Tensor, rope: torch.Tensor, heads: torch.Tensor) -> Slices:
    """latent, rope, heads [B]: how many are kept of each."""

    def mask(size: int, kept: torch.Tensor) -> torch.Tensor:
        return (torch.arange(size, device=kept.device) < kept[:, None]).float()

    return Slices(latent[:, None, None].float(), mask(shape.kv_lora_rank, latent)[:, None],
                  mask(shape.qk_rope_head_dim, rope)[:, None], mask(shape.num_attention_heads, heads)[:, :, None, None])


def draw_slices(shape: Shape, batch: int, generator: torch.Generator) -> Slices:
    """Nested dropout: a third of the sequences keep everything; the others draw each of the three on its own, everything
    about half of the time and otherwise less, small sizes as often as large ones."""
    c, r, h = shape.kv_lora_rank, shape.qk_rope_head_dim, shape.num_attention_heads

    whole = torch.rand(batch, generator=generator) < 0.33

    def draw(full: int, keep_all: float, sizes: list[int]) -> torch.Tensor:
        smaller = torch.tensor(sizes)[torch.randint(len(sizes), (batch,), generator=generator)]
        kept = torch.where(torch.rand(batch, generator=generator) < keep_all, full, smaller)
        return torch.where(whole, full, kept)

    latents = [k for k in (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 96) if k < c]
    return slices_at(shape, draw(c, 0.5, latents), draw(r, 0.6, list(range(0, r, 2))), draw(h, 0.6, list(range(1, h))))


def attend(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Causal attention over [B, H, T, dim]. The fast CPU path wants equal dimensions: values are padded with zeros."""
    padded = F.pad(value, (0, query.shape[-1] - value.shape[-1]))
    return F.scaled_dot_product_attention(query, key, padded, is_causal=True)[..., : value.shape[-1]]


class LatentAttention(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape, d, heads = shape, shape.hidden_size, shape.num_attention_heads
        self.n, self.r, self.v, self.c = (shape.qk_nope_head_dim, shape.qk_rope_head_dim, shape.v_head_dim,
                                          shape.kv_lora_rank)
        self.q_proj = nn.Linear(d, heads * (self.n + self.r), bias=False)
        self.kv_a_proj_with_mqa = nn.Linear(d, self.c + self.r, bias=False)
        self.kv_a_layernorm = nn.RMSNorm(self.c)
        self.kv_b_proj = nn.Linear(self.c, heads * (self.n + self.v), bias=False)
        self.o_proj = nn.Linear(heads * self.v, d, bias=False)

    def norm(self, latent: torch.Tensor, slices: Slices) -> torch.Tensor:
        """RMSNorm over the kept values alone."""
        latent = latent.float() * slices.latent
        scale = torch.rsqrt(latent.square().sum(-1, keepdim=True) / slices.kept + LATENT_EPS)
        return latent * scale * self.kv_a_layernorm.weight

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, slices: Slices) -> torch.Tensor:
        batch, length, _ = x.shape
        heads = self.shape.num_attention_heads

        def rotate(t: torch.Tensor) -> torch.Tensor:
            even, odd = t[..., 0::2].float(), t[..., 1::2].float()
            return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2).to(t.dtype)

        query = self.q_proj(x).view(batch, length, heads, -1).transpose(1, 2)
        latent, rope_key = self.kv_a_proj_with_mqa(x).split((self.c, self.r), -1)
        rope_key = (rotate(rope_key) * slices.rope).unsqueeze(1).expand(-1, heads, -1, -1)
        key_value = self.kv_b_proj(self.norm(latent, slices)).view(batch, length, heads, -1).transpose(1, 2)
        query = torch.cat((query[..., : self.n], rotate(query[..., self.n :])), -1)
        key = torch.cat((key_value[..., : self.n], rope_key.to(key_value.dtype)), -1)
        mixed = attend(query, key, key_value[..., self.n :]) * slices.heads
        return self.o_proj(mixed.transpose(1, 2).reshape(batch, length, -1))


class GroupedQueryAttention(nn.Module):
    """MHA, GQA and MQA: num_key_value_heads says which."""

    def __init__(self, shape: Shape):
        super().__init__()
        self.heads, self.groups, self.dim = shape.num_attention_heads, shape.num_key_value_heads, shape.v_head_dim
        d = shape.hidden_size
        self.q_proj = nn.Linear(d, self.heads * self.dim, bias=False)
        self.k_proj = nn.Linear(d, self.groups * self.dim, bias=False)
        self.v_proj = nn.Linear(d, self.groups * self.dim, bias=False)
        self.o_proj = nn.Linear(self.heads * self.dim, d, bias=False)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, slices: Slices) -> torch.Tensor:
        batch, length, _ = x.shape

        def rotate(t: torch.Tensor) -> torch.Tensor:
            low, high = t.float().chunk(2, -1)
            return torch.cat((low * cos - high * sin, high * cos + low * sin), -1).to(t.dtype)

        def split(t: torch.Tensor, heads: int) -> torch.Tensor:
            return t.view(batch, length, heads, self.dim).transpose(1, 2)

        share = self.heads // self.groups
        query = rotate(split(self.q_proj(x), self.heads))
        key = rotate(split(self.k_proj(x), self.groups)).repeat_interleave(share, 1)
        value = split(self.v_proj(x), self.groups).repeat_interleave(share, 1)
        return self.o_proj(attend(query, key, value).transpose(1, 2).reshape(batch, length, -1))


class FeedForward(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.gate_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.up_proj = nn.Linear(shape.hidden_size, shape.intermediate_size, bias=False)
        self.down_proj = nn.Linear(shape.intermediate_size, shape.hidden_size, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.input_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)
        self.self_attn = LatentAttention(shape) if shape.variant == "mla" else GroupedQueryAttention(shape)
        self.post_attention_layernorm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)
        self.mlp = FeedForward(shape)

    def forward(self, x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor, slices: Slices) -> torch.Tensor:
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, slices)
        return x + self.mlp(self.post_attention_layernorm(x))


class LanguageModel(nn.Module):
    def __init__(self, shape: Shape):
        super().__init__()
        self.shape = shape
        self.embed_tokens = nn.Embedding(shape.vocab_size, shape.hidden_size)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.num_hidden_layers))
        self.norm = nn.RMSNorm(shape.hidden_size, eps=shape.rms_norm_eps)
        rotated = shape.qk_rope_head_dim if shape.variant == "mla" else shape.v_head_dim
        frequency = shape.rope_theta ** -(torch.arange(0, rotated, 2) / rotated)
        angle = torch.arange(shape.context)[:, None] * frequency
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        self.apply(self.initialise)

    def initialise(self, module: nn.Module) -> None:
        if isinstance(module, (nn.Linear, nn.Embedding)):
            nn.init.normal_(module.weight, std=0.02)
        if isinstance(module, (GroupedQueryAttention, LatentAttention)):
            nn.init.zeros_(module.o_proj.weight)
        if isinstance(module, FeedForward):
            nn.init.zeros_(module.down_proj.weight)

    def forward(self, tokens: torch.Tensor, slices: Slices) -> torch.Tensor:
        """tokens [B, T] → logits [B, T, vocab]."""
        cos, sin = self.cos[: tokens.shape[1]], self.sin[: tokens.shape[1]]
        x = self.embed_tokens(tokens)
        for layer in self.layers:
            x = layer(x, cos, sin, slices)
        return F.linear(self.norm(x), self.embed_tokens.weight)
