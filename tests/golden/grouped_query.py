"""Grouped-query attention (MHA, GQA, MQA) with a partly rotated head: n NoPE values, then r RoPE values, pairs interleaved.

Computed by parts, with every key and value repeated for its heads, and checked against PyTorch's own grouped attention.
"""

import torch
from torch import nn
from torch.nn import functional as F

from deepseek_mla import rotate, rotate_complex, score_scale


class GroupedAttention(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config = config
        self.heads, self.groups = config["num_attention_heads"], config["num_key_value_heads"]
        self.n, self.width = config["qk_nope_head_dim"], config["qk_nope_head_dim"] + config["qk_rope_head_dim"]
        d = config["hidden_size"]
        self.q_proj = nn.Linear(d, self.heads * self.width, bias=False)
        self.k_proj = nn.Linear(d, self.groups * self.width, bias=False)
        self.v_proj = nn.Linear(d, self.groups * self.width, bias=False)
        self.o_proj = nn.Linear(self.heads * self.width, d, bias=False)

    def turned(self, x: torch.Tensor, rotation) -> torch.Tensor:
        return torch.cat((x[..., : self.n], rotation(x[..., self.n :], self.config)), -1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, dict]:
        count, scale = x.shape[0], score_scale(self.config)
        q = self.turned(self.q_proj(x).view(count, self.heads, -1), rotate)
        k = self.turned(self.k_proj(x).view(count, self.groups, -1), rotate)
        v = self.v_proj(x).view(count, self.groups, -1)
        keys, values = (t.repeat_interleave(self.heads // self.groups, 1) for t in (k, v))
        scores_nope = scale * torch.einsum("thn,shn->hts", q[..., : self.n], keys[..., : self.n])
        scores_rope = scale * torch.einsum("thr,shr->hts", q[..., self.n :], keys[..., self.n :])
        causal = torch.ones(count, count, dtype=torch.bool).tril()
        weights = (scores_nope + scores_rope).masked_fill(~causal, -torch.inf).softmax(-1)
        out = self.o_proj(torch.einsum("hts,shv->thv", weights, values).flatten(1))
        torch.testing.assert_close(out, self.whole(x), rtol=1e-11, atol=1e-11)
        seen = {"attention": weights, "scores_nope": scores_nope.masked_fill(~causal, 0),
                "scores_rope": scores_rope.masked_fill(~causal, 0), "cache_key": k.flatten(1), "cache_value": v.flatten(1)}
        return out, seen

    def whole(self, x: torch.Tensor) -> torch.Tensor:
        """The second formulation: complex rotations, PyTorch's grouped attention."""
        q, k, v = (project(x).view(x.shape[0], -1, self.width) for project in (self.q_proj, self.k_proj, self.v_proj))
        q, k, v = (t.transpose(0, 1)[None] for t in (self.turned(q, rotate_complex), self.turned(k, rotate_complex), v))
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=score_scale(self.config), enable_gqa=True)
        return self.o_proj(mixed[0].transpose(0, 1).flatten(1))
