"""Writes tests/golden/quality.json: bits per byte of the bundled models on the held-out excerpt as PyTorch computes them from
the shipped weights, at several sizes of the elastic one, for the engine's own measurement to agree with.

    python make_quality_golden.py
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

HERE = Path(__file__).parent
MODELS = HERE.parent.parent / "resources/models"
sys.path.insert(0, str(MODELS / "fairy-tales/training"))
from data import BEGIN, bits_per_byte, encode_text  # noqa: E402
from model import LanguageModel, full_slices, shape_of, slices_at  # noqa: E402

SIZES = [(64, 16, 6), (8, 16, 6), (64, 6, 6), (64, 16, 2), (5, 4, 3)]  # latent, RoPE, heads


def main() -> None:
    text = (MODELS / "fairy-tales/held-out.txt").read_text(encoding="utf-8")
    points = []
    for variant in ("mla", "mha", "gqa", "mqa"):
        name = "fairy-tales" if variant == "mla" else f"fairy-tales-{variant}"
        if not (MODELS / name / "model.safetensors").exists():
            continue
        shape = shape_of(variant)
        model = LanguageModel(shape)
        weights = load_file(MODELS / name / "model.safetensors")
        model.load_state_dict({key.removeprefix("model."): tensor.float() for key, tensor in weights.items()})
        tokenizer = Tokenizer.from_file(str(MODELS / name / "tokenizer.json"))
        tokens, begin = encode_text(tokenizer, text), tokenizer.token_to_id(BEGIN)

        def measure(slices) -> float:
            return round(bits_per_byte(model, slices, tokens, begin, len(text.encode())), 6)

        if variant != "mla":
            points.append({"model": name, "bits_per_byte": measure(lambda rows: full_slices(shape, rows))})
            continue
        for size in SIZES:
            def cut(rows: int):
                return slices_at(shape, *(torch.full((rows,), kept) for kept in size))

            points.append({"model": name, "kv-lora-rank": size[0], "rope-dim": size[1], "heads": size[2],
                           "bits_per_byte": measure(cut)})
    (HERE / "quality.json").write_text(json.dumps(points, indent=1) + "\n")


if __name__ == "__main__":
    main()
