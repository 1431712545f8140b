"""The tutorial's block: latent attention without RoPE whose W_qk is already absorbed, then a ReLU feed-forward."""

import torch
from torch import nn


class ToyAttention(nn.Module):
    def __init__(self, d: int, heads: int, q_rank: int, kv_rank: int):
        super().__init__()
        self.heads, self.kv_rank = heads, kv_rank
        self.Wq_d = nn.Linear(d, q_rank)
        self.W_qk = nn.Linear(q_rank, heads * kv_rank)
        self.Wkv_d = nn.Linear(d, kv_rank)
        self.Wv_u = nn.Linear(kv_rank, d)
        self.Wo = nn.Linear(d, d)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
        """x [T, d] to ([T, d], what attention saw)."""
        count = x.shape[0]
        latent = self.Wkv_d(x)  # [T, c]: all that is cached
        query = self.W_qk(self.Wq_d(x)).view(count, self.heads, self.kv_rank).transpose(0, 1)
        scores = query @ latent.T * self.kv_rank**-0.5  # [H, T, T]
        causal = torch.ones(count, count, dtype=torch.bool).tril()
        weights = scores.masked_fill(~causal, -torch.inf).softmax(-1)
        value = self.Wv_u(latent).view(count, self.heads, -1).transpose(0, 1)
        out = self.Wo((weights @ value).transpose(0, 1).reshape(count, -1))
        return out, {"attention": weights, "scores_nope": scores.masked_fill(~causal, 0), "cache_latent": latent}


class ToyBlock(nn.Module):
    def __init__(self, d: int, heads: int, q_rank: int, kv_rank: int):
        super().__init__()
        self.attn = ToyAttention(d, heads, q_rank, kv_rank)
        self.norm1 = nn.LayerNorm(d)
        self.ff = nn.Sequential(nn.Linear(d, 4 * d), nn.ReLU(), nn.Linear(4 * d, d))
        self.norm2 = nn.LayerNorm(d)

    def expected(self, x: torch.Tensor) -> dict:
        """All tensors of the dump; its one layer becomes the first dimension."""
        attended, seen = self.attn(x)
        hidden = self.norm1(x + attended)
        hidden = self.norm2(hidden + self.ff(hidden))
        return {"outputs": hidden} | {name: tensor[None] for name, tensor in seen.items()}
