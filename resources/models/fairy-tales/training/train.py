"""Trains one of the bundled models and writes it as a Hugging Face model directory.

    python train.py CORPUS --variant mla --out DIR [--steps N]

The run is resumed from OUT/checkpoint.pt if that exists, and gives the same weights as an uninterrupted one.
"""

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch.nn import functional as F

from data import BEGIN, Windows, bits_per_byte, encode_text, read_corpus, train_tokenizer
from model import LanguageModel, Shape, draw_slices, full_slices, shape_of

SEED = 1
PEAK_LR, EMBEDDING_LR, WEIGHT_DECAY = 1e-2, 4e-3, 0.1
WARMUP, COOLDOWN = 100, 0.6  # steps; share of the run over which the rate falls to 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path, help="folder with fairy-tales.train.txt and fairy-tales.valid.txt")
    parser.add_argument("--variant", choices=("mla", "mha", "gqa", "mqa"), default="mla")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=5600)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--lr", type=float, default=PEAK_LR)
    parser.add_argument("--stop-after", type=int, help="stop at this step, as if interrupted")
    return parser.parse_args()


def rate(step: int, steps: int) -> float:
    """Warm-up, a plateau, then linearly to 0."""
    return min(1, (step + 1) / WARMUP, (steps - step) / (steps * COOLDOWN))


def optimisers(model: LanguageModel, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices, AdamW for the embedding and the norms."""
    matrices = [p for name, p in model.named_parameters() if p.dim() == 2 and "embed" not in name]
    others = [p for name, p in model.named_parameters() if p.dim() != 2 or "embed" in name]
    return [torch.optim.Muon(matrices, lr=lr, weight_decay=WEIGHT_DECAY, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=EMBEDDING_LR, betas=(0.9, 0.95), weight_decay=0.0)]


def tokenizer_for(out: Path, text: str, vocab_size: int) -> Tokenizer:
    path = out / "tokenizer.json"
    if not path.exists():
        train_tokenizer(text, vocab_size).save(str(path))
    return Tokenizer.from_file(str(path))


def save_checkpoint(path: Path, step: int, model: LanguageModel, optimizers: list, generator: torch.Generator) -> None:
    partial = path.with_suffix(".partial")
    torch.save({"step": step, "model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers],
                "slices": generator.get_state()}, partial)
    os.replace(partial, path)


def config_of(shape: Shape, begin: int) -> dict:
    """What config.json says."""
    config = {
        "architectures": ["DeepseekV3ForCausalLM" if shape.variant == "mla" else "LlamaForCausalLM"],
        "model_type": "deepseek_v3" if shape.variant == "mla" else "llama",
        "hidden_size": shape.hidden_size, "num_hidden_layers": shape.num_hidden_layers,
        "num_attention_heads": shape.num_attention_heads, "num_key_value_heads": shape.num_key_value_heads,
        "intermediate_size": shape.intermediate_size, "vocab_size": shape.vocab_size, "hidden_act": "silu",
        "max_position_embeddings": shape.context, "rms_norm_eps": shape.rms_norm_eps, "rope_theta": shape.rope_theta,
        "rope_scaling": None, "attention_bias": False, "tie_word_embeddings": True, "bos_token_id": begin,
        "eos_token_id": None, "torch_dtype": "bfloat16",
    }
    if shape.variant == "mla":
        return config | {
            "q_lora_rank": None, "kv_lora_rank": shape.kv_lora_rank, "qk_nope_head_dim": shape.qk_nope_head_dim,
            "qk_rope_head_dim": shape.qk_rope_head_dim, "v_head_dim": shape.v_head_dim, "n_routed_experts": None,
            "first_k_dense_replace": shape.num_hidden_layers, "elastic": True}
    return config | {"head_dim": shape.v_head_dim, "mlp_bias": False}


def export(out: Path, model: LanguageModel, begin: int) -> None:
    """config.json and model.safetensors, in bf16."""
    (out / "config.json").write_text(json.dumps(config_of(model.shape, begin), indent=2) + "\n")
    tensors = {f"model.{name}": tensor.to(torch.bfloat16).contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(SEED)
    shape = shape_of(options.variant)
    train_text, valid_text = read_corpus(options.corpus)
    tokenizer = tokenizer_for(options.out, train_text, shape.vocab_size)
    begin = tokenizer.token_to_id(BEGIN)
    train, valid = encode_text(tokenizer, train_text), encode_text(tokenizer, valid_text)
    windows = Windows(train, begin, shape.context, options.batch, SEED)
    model = LanguageModel(shape)
    optimizers = optimisers(model, options.lr)
    generator = torch.Generator().manual_seed(SEED)
    log = (options.out / "train.log").open("a", buffering=1)

    def say(line: str) -> None:
        print(line, flush=True)
        log.write(line + "\n")

    step, checkpoint = 0, options.out / "checkpoint.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint)
        step = state["step"]
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        generator.set_state(state["slices"])
    parameters = sum(p.numel() for p in model.parameters())
    say(f"{'resumed' if step else 'started'} {options.variant} at step {step} of {options.steps}: {parameters} parameters, "
        f"batch {options.batch} x {shape.context}, {len(train)} training tokens "
        f"({len(train_text) / len(train):.3f} bytes each), {windows.steps_per_epoch} steps an epoch, seed {SEED}, "
        f"lr {options.lr}, torch {torch.__version__}")

    def validate() -> float:
        model.eval()
        result = bits_per_byte(model, lambda rows: full_slices(shape, rows), valid, begin, len(valid_text.encode()))
        model.train()
        return result

    @torch.compile
    def loss_of(inputs, targets, slices):
        return F.cross_entropy(model(inputs, slices).float().flatten(0, 1), targets.flatten())

    base = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    if step:
        base = [[options.lr], [EMBEDDING_LR]]
    since, seen, losses = time.time(), step, []
    while step < min(options.steps, options.stop_after or options.steps):
        for optimizer, rates in zip(optimizers, base):
            for group, lr in zip(optimizer.param_groups, rates):
                group["lr"] = lr * rate(step, options.steps)
        inputs, targets = windows.at(step)
        slices = draw_slices(shape, options.batch, generator) if options.variant == "mla" else full_slices(shape, options.batch)
        with torch.autocast("cpu", torch.bfloat16):
            loss = loss_of(inputs, targets, slices)
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        losses.append(float(loss.detach()))
        if not math.isfinite(losses[-1]):
            raise SystemExit(f"the loss is {losses[-1]} at step {step}")
        step += 1
        if step % 50 == 0:
            speed = (step - seen) * options.batch * shape.context / (time.time() - since)
            say(f"step {step} loss {sum(losses) / len(losses):.4f} {speed:.0f} tokens/s")
            since, seen, losses = time.time(), step, []
            if step % 200 == 0:
                save_checkpoint(checkpoint, step, model, optimizers, generator)
            if step % 600 == 0:
                say(f"step {step} valid {validate():.4f} bits per byte")
                since = time.time()
    save_checkpoint(checkpoint, step, model, optimizers, generator)
    say(f"step {step} valid {validate():.4f} bits per byte")
    if step == options.steps:
        export(options.out, model, begin)


if __name__ == "__main__":
    main()
