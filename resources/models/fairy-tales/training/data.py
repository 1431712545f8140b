"""The tokenizer, and batches of token windows.

A window is the beginning-of-text token and then a stretch of the corpus from any place, so that the model can be started
anywhere and its first position is always the same token.
"""

import math
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

BEGIN = "<|begin_of_text|>"
WORDS = r" ?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+|\s*\n|\s+(?!\S)|\s+"


def train_tokenizer(text: str, vocab_size: int) -> Tokenizer:
    """Byte-level BPE: every byte has a token, so that any text can be encoded."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(WORDS), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, special_tokens=[BEGIN], initial_alphabet=alphabet,
                                  show_progress=False)
    tokenizer.train_from_iterator(text.splitlines(keepends=True), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", pair=f"{BEGIN} $A {BEGIN} $B", special_tokens=[(BEGIN, tokenizer.token_to_id(BEGIN))])
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str) -> torch.Tensor:
    """[tokens], without the beginning-of-text token."""
    lines = tokenizer.encode_batch(text.splitlines(keepends=True), add_special_tokens=False)
    return torch.tensor([token for line in lines for token in line.ids], dtype=torch.long)


class Windows:
    """Batches for step after step; the state is the step's number alone, so that a run resumes exactly."""

    def __init__(self, tokens: torch.Tensor, begin: int, context: int, batch: int, seed: int):
        self.tokens, self.begin, self.context, self.batch, self.seed = tokens, begin, context, batch, seed
        self.per_epoch = (len(tokens) - context) // context
        self.steps_per_epoch = self.per_epoch // batch

    def at(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """(inputs, targets), each [batch, context]. Every epoch cuts the corpus at other places."""
        epoch, index = divmod(step, self.steps_per_epoch)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        shift = int(torch.randint(self.context, (1,), generator=generator))
        order = torch.randperm(self.per_epoch, generator=generator)[index * self.batch :][: self.batch]
        starts = order * self.context + shift
        targets = torch.stack([self.tokens[start : start + self.context] for start in starts])
        inputs = torch.cat((torch.full((self.batch, 1), self.begin), targets[:, :-1]), 1)
        return inputs, targets


@torch.no_grad()
def bits_per_byte(model, slices, tokens: torch.Tensor, begin: int, text_bytes: int, stride: int | None = None,
                  batch: int = 16) -> float:
    """Teacher-forced over the whole text: windows of the model's context that start with the beginning-of-text token and
    advance by `stride` (half a context), each token counted in the first window that holds it."""
    context = model.shape.context
    stride = stride or context // 2
    starts = list(range(0, max(len(tokens) - context, 0) + stride, stride))
    total, counted = 0.0, 0
    for first in range(0, len(starts), batch):
        rows, fresh = [], []
        for start in starts[first : first + batch]:
            piece = tokens[start : start + context]
            rows.append(torch.nn.functional.pad(piece, (0, context - len(piece))))
            fresh.append((max(counted - start, 0), len(piece)))
            counted = start + len(piece)
        targets = torch.stack(rows)
        inputs = torch.cat((torch.full((len(rows), 1), begin), targets[:, :-1]), 1)
        loss = torch.nn.functional.cross_entropy(model(inputs, slices(len(rows))).float().flatten(0, 1),
                                                 targets.flatten(), reduction="none").view(targets.shape).double()
        total += sum(float(loss[row, low:high].sum()) for row, (low, high) in enumerate(fresh))
    return total / math.log(2) / text_bytes


def read_corpus(folder: Path) -> tuple[str, str]:
    """(train, valid)"""
    return tuple((folder / f"fairy-tales.{part}.txt").read_text(encoding="utf-8") for part in ("train", "valid"))
