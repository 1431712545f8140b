"""Times what others do for the shapes of bench_gpu on this GPU: peers.py > peers.json

PyTorch's absorbed decode as DeepSeek's code writes it (einsum), as scaled_dot_product_attention (heads as queries of one
key-value head, K = 576 and V = 512), and a plain Triton decode kernel that splits the cache. Also the two ceilings: a large
copy (bytes read and written) and a large bf16 product. --small tries everything on tiny shapes, on the processor where there
is no GPU (Triton then with TRITON_INTERPRET=1), and checks each peer against the others.
"""

import argparse
import json
import statistics
import sys

import torch
import torch.nn.functional as F
import triton
import triton.language as tl

LATENT, ROPE = 512, 64
WIDTH = LATENT + ROPE


@triton.jit
def decode_split(q, kv, partial, lse, tokens, heads, splits, LATENT: tl.constexpr, ROPE: tl.constexpr,
                 HEADS: tl.constexpr, TOKENS: tl.constexpr):
    """One block: some heads of a sequence against one part of its tokens."""
    b, h0, s = tl.program_id(0), tl.program_id(1) * HEADS, tl.program_id(2)
    h = h0 + tl.arange(0, HEADS)
    c = tl.arange(0, LATENT)
    r = tl.arange(0, ROPE)
    width = LATENT + ROPE
    row = (b * heads + h)[:, None] * width
    kept = (h < heads)[:, None]
    q_latent = tl.load(q + row + c[None, :], mask=kept, other=0.0)
    q_rope = tl.load(q + row + LATENT + r[None, :], mask=kept, other=0.0)
    top = tl.full([HEADS], -float("inf"), tl.float32)
    total = tl.zeros([HEADS], tl.float32)
    sums = tl.zeros([HEADS, LATENT], tl.float32)
    each = tl.cdiv(tl.cdiv(tokens, splits), TOKENS) * TOKENS
    for start in range(s * each, tl.minimum(tokens, (s + 1) * each), TOKENS):
        t = start + tl.arange(0, TOKENS)
        line = (b.to(tl.int64) * tokens + t)[:, None] * width
        there = (t < tokens)[:, None]
        latent = tl.load(kv + line + c[None, :], mask=there, other=0.0)
        rope = tl.load(kv + line + LATENT + r[None, :], mask=there, other=0.0)
        scores = tl.dot(q_latent, tl.trans(latent)) + tl.dot(q_rope, tl.trans(rope))
        scores = tl.where((t < tokens)[None, :], scores, -float("inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        weights = tl.exp(scores - higher[:, None])
        shrink = tl.exp(top - higher)
        total = total * shrink + tl.sum(weights, 1)
        sums = sums * shrink[:, None] + tl.dot(weights.to(latent.dtype), latent)
        top = higher
    place = (s * tl.num_programs(0) + b) * heads + h
    safe = tl.where(total > 0, total, 1.0)
    tl.store(partial + place[:, None].to(tl.int64) * LATENT + c[None, :], sums / safe[:, None], mask=kept)
    tl.store(lse + place, tl.where(total > 0, top + tl.log(safe), -float("inf")), mask=h < heads)


@triton.jit
def decode_merge(partial, lse, out, rows, splits, LATENT: tl.constexpr):
    """One block: the parts of one head of one sequence."""
    i = tl.program_id(0)
    c = tl.arange(0, LATENT)
    top = tl.full([], -float("inf"), tl.float32)
    for s in range(splits):
        top = tl.maximum(top, tl.load(lse + s * rows + i))
    total = tl.full([], 0.0, tl.float32)
    sums = tl.zeros([LATENT], tl.float32)
    for s in range(splits):
        weight = tl.exp(tl.load(lse + s * rows + i) - top)
        total += weight
        sums += weight * tl.load(partial + (s * rows + i).to(tl.int64) * LATENT + c)
    tl.store(out + i * LATENT + c, (sums / total).to(out.dtype.element_ty))


class Case:
    def __init__(self, batch, heads, tokens, copies, device, dtype=torch.bfloat16):
        self.batch, self.heads, self.tokens, self.copies = batch, heads, tokens, copies
        self.kv = torch.randn(copies, batch, tokens, WIDTH, device=device, dtype=dtype)
        self.q = (0.06 * torch.randn(batch, heads, WIDTH, device=device)).to(dtype)
        self.turn = 0

    def next(self):
        self.turn = (self.turn + 1) % self.copies
        return self.kv[self.turn]

    def einsum(self, kv):
        latent, rope = kv[..., :LATENT], kv[..., LATENT:]
        q = self.q[:, None]
        scores = torch.einsum("bshc,btc->bsht", q[..., :LATENT], latent) + torch.einsum("bshr,btr->bsht", q[..., LATENT:], rope)
        weights = scores.softmax(dim=-1, dtype=torch.float32).type_as(q)
        return torch.einsum("bsht,btc->bshc", weights, latent)[:, 0]

    def sdpa(self, kv):
        return F.scaled_dot_product_attention(self.q[:, None], kv[:, None], kv[:, None, :, :LATENT], scale=1.0)[:, 0]

    def triton(self, kv, heads=16, tokens=32, warps=4, stages=2):
        blocks = self.batch * triton.cdiv(self.heads, heads)
        splits = max(1, min(triton.cdiv(self.tokens, 4 * tokens), 264 // blocks))
        rows = self.batch * self.heads
        partial = torch.empty(splits, rows, LATENT, device=kv.device, dtype=torch.float32)
        lse = torch.empty(splits, rows, device=kv.device, dtype=torch.float32)
        out = torch.empty(self.batch, self.heads, LATENT, device=kv.device, dtype=kv.dtype)
        grid = (self.batch, triton.cdiv(self.heads, heads), splits)
        decode_split[grid](self.q, kv, partial, lse, self.tokens, self.heads, splits, LATENT, ROPE, heads, tokens,
                           num_warps=warps, num_stages=stages)
        decode_merge[(rows,)](partial, lse, out, rows, splits, LATENT)
        return out


def median_ms(work, repeats=15):
    """Of calls between events, after two that warm up; nothing else runs."""
    work(), work()
    times = []
    for _ in range(repeats):
        before, after = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        before.record()
        for _ in range(4):
            work()
        after.record()
        after.synchronize()
        times.append(before.elapsed_time(after) / 4)
    return statistics.median(times)


def triton_forms(heads):
    """Block sizes of which the best is taken."""
    forms = [(16, 32, 4, 2), (16, 64, 8, 2)]
    if heads >= 64:
        forms += [(64, 32, 8, 1), (64, 64, 8, 1)]
    return forms


def measure(case):
    """Milliseconds of each peer; the reason where one does not run."""
    times = {}
    candidates = {"einsum": [lambda: case.einsum(case.next())], "sdpa": [lambda: case.sdpa(case.next())],
                  "triton": [lambda form=form: case.triton(case.next(), *form) for form in triton_forms(case.heads)]}
    for name, forms in candidates.items():
        for form in forms:
            try:
                ms = median_ms(form)
                times[name] = min(ms, times[name]) if isinstance(times.get(name), float) else ms
            except Exception as error:  # a peer that fails is no reason to lose the others
                times.setdefault(name, str(error).splitlines()[0][:120])
                torch.cuda.empty_cache()
    return times


def ceilings():
    copy = torch.empty(2 << 30, device="cuda", dtype=torch.uint8)
    to = torch.empty_like(copy)
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return {"copy_gb_s": 2 * copy.numel() / median_ms(lambda: to.copy_(copy)) / 1e6,
            "bf16_tflop_s": 2 * 8192**3 / median_ms(lambda: a @ b) / 1e9}


def full():
    report = {"device": torch.cuda.get_device_name(), "torch": torch.__version__, "triton": triton.__version__}
    report["ceilings"] = ceilings()
    report["workloads"] = []
    for tokens in (4096, 32768):
        for batch in (1, 32, 128):
            for heads in (16, 32, 64, 128):
                size = batch * tokens * WIDTH * 2
                case = Case(batch, heads, tokens, max(1, -(-(256 << 20) // size)), "cuda")
                row = {"name": f"mla-absorbed-b{batch}-h{heads}-t{tokens}-bf16", **measure(case)}
                print(row, file=sys.stderr)
                report["workloads"].append(row)
                del case
                torch.cuda.empty_cache()
    json.dump(report, sys.stdout, indent=1)


def small():
    # Triton's interpreter cannot multiply bf16.
    device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    torch.manual_seed(1)
    for heads, tokens in ((3, 70), (16, 129)):
        case = Case(2, heads, tokens, 1, device, dtype)
        kv = case.kv[0]
        want = case.einsum(kv).float()
        for name, got in (("sdpa", case.sdpa(kv)), ("triton", case.triton(kv))):
            error = (got.float() - want).norm() / want.norm()
            print(f"{heads} heads, {tokens} tokens: {name} differs from einsum by {error:.1e}")
            assert error < 2e-2, name


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true")
    small() if parser.parse_args().small else full()
