"""Writes tests/golden/elastic: a small elastic model with random weights, and the logits that the model as it is trained
(with masks, resources/models/fairy-tales/training/model.py) gives at several sizes, for the engine's slices to match.

    python make_elastic_goldens.py
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "resources/models/fairy-tales/training"))
from model import LanguageModel, Shape, slices_at  # noqa: E402
from train import config_of  # noqa: E402

SIZES = [(12, 8, 3), (5, 8, 3), (12, 4, 3), (12, 0, 3), (12, 8, 1), (7, 6, 2), (1, 2, 1)]  # latent, RoPE, heads


def main() -> None:
    torch.manual_seed(7)
    shape = Shape(hidden_size=24, num_hidden_layers=2, num_attention_heads=3, num_key_value_heads=3, qk_nope_head_dim=6,
                  qk_rope_head_dim=8, v_head_dim=10, kv_lora_rank=12, intermediate_size=20, vocab_size=40, context=32)
    model = LanguageModel(shape)
    for name, parameter in model.named_parameters():
        torch.nn.init.normal_(parameter, 1.0 if "norm" in name else 0.0, 0.3)
    tokens = torch.randint(shape.vocab_size, (9,))
    expected = {}
    with torch.no_grad():
        for latent, rope, heads in SIZES:
            slices = slices_at(shape, *(torch.tensor([size]) for size in (latent, rope, heads)))
            expected[f"logits-{latent}-{rope}-{heads}"] = model(tokens[None], slices)[0].contiguous()
    out = HERE / "elastic"
    out.mkdir(exist_ok=True)
    (out / "config.json").write_text(json.dumps(config_of(shape, 0), indent=2) + "\n")
    (out / "tokens.json").write_text(json.dumps(tokens.tolist()) + "\n")
    save_file({f"model.{name}": tensor.contiguous() for name, tensor in model.state_dict().items()}, out / "model.safetensors")
    save_file(expected, out / "expected.safetensors")


if __name__ == "__main__":
    main()
