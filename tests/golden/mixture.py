"""The mixture of experts of DeepSeek-V2 and V3, from its rules, module names as in their checkpoints.

Computed twice, and the two must agree: token by token in plain Python, and over all tokens at once with masks.
"""

import torch
from torch import nn


def has_experts(config: dict, layer: int) -> bool:
    first, every = config.get("first_k_dense_replace", 0), config.get("moe_layer_freq", 1)
    return config.get("n_routed_experts") is not None and layer >= first and layer % every == 0


class Gate(nn.Module):
    def __init__(self, config: dict):
        super().__init__()
        self.config, experts = config, config["n_routed_experts"]
        self.weight = nn.Parameter(torch.empty(experts, config["hidden_size"]))
        self.e_score_correction_bias = None
        if config["topk_method"] == "noaux_tc":
            self.e_score_correction_bias = nn.Parameter(torch.empty(experts))

    def scores(self, x: torch.Tensor) -> torch.Tensor:
        logits = x @ self.weight.T
        return logits.sigmoid() if self.config["scoring_func"] == "sigmoid" else logits.softmax(-1)

    def choose(self, scores: list[float]) -> dict[int, float]:
        """Factor by expert, for one token."""
        c = self.config
        bias = [0.0] * len(scores) if self.e_score_correction_bias is None else self.e_score_correction_bias.tolist()
        biased = [s + b for s, b in zip(scores, bias)]
        eligible = range(len(scores))
        if c["topk_method"] != "greedy":
            size, summed = len(scores) // c["n_group"], 1 if self.e_score_correction_bias is None else 2
            groups = [list(range(g * size, (g + 1) * size)) for g in range(c["n_group"])]
            groups.sort(key=lambda group: -sum(sorted((biased[e] for e in group), reverse=True)[:summed]))
            eligible = [e for group in groups[: c["topk_group"]] for e in group]
        chosen = sorted(eligible, key=lambda e: -biased[e])[: c["num_experts_per_tok"]]
        total = sum(scores[e] for e in chosen) if c["norm_topk_prob"] else 1.0
        return {e: scores[e] / total * c["routed_scaling_factor"] for e in chosen}

    def masks(self, scores: torch.Tensor) -> torch.Tensor:
        """[T, experts] factors, 0 where an expert is not used; the second formulation."""
        c = self.config
        biased = scores if self.e_score_correction_bias is None else scores + self.e_score_correction_bias
        if c["topk_method"] != "greedy":
            grouped = biased.unflatten(-1, (c["n_group"], -1))
            best = grouped.amax(-1) if self.e_score_correction_bias is None else grouped.topk(2, -1).values.sum(-1)
            out = torch.ones_like(best, dtype=torch.bool).scatter(-1, best.topk(c["topk_group"], -1).indices, False)
            biased = grouped.masked_fill(out[..., None], -torch.inf).flatten(-2)
        used = torch.zeros_like(scores).scatter(-1, biased.topk(c["num_experts_per_tok"], -1).indices, 1.0)
        factors = scores * used
        if c["norm_topk_prob"]:
            factors = factors / factors.sum(-1, keepdim=True)
        return factors * c["routed_scaling_factor"]


class Experts(nn.Module):
    def __init__(self, config: dict, expert: type[nn.Module]):
        super().__init__()
        d, width, shared = config["hidden_size"], config["moe_intermediate_size"], config.get("n_shared_experts") or 0
        self.gate = Gate(config)
        self.experts = nn.ModuleList(expert(d, width) for _ in range(config["n_routed_experts"]))
        self.shared_experts = expert(d, shared * width) if shared else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scores = self.gate.scores(x)
        rows = []
        for row, of_row in zip(x, scores.tolist()):
            rows.append(sum(factor * self.experts[e](row) for e, factor in self.gate.choose(of_row).items()))
        routed = torch.stack(rows)
        every = torch.stack([expert(x) for expert in self.experts], 1)
        torch.testing.assert_close(routed, torch.einsum("te,ted->td", self.gate.masks(scores), every), rtol=1e-11, atol=1e-11)
        return routed + self.shared_experts(x) if self.shared_experts else routed
