#!/usr/bin/env python3
"""Times real transformer blocks, forward and backward, on one accelerator with PyTorch.

Whole layers as people run them, for predictions of whole layers to be held against; the probe
(forerun-probe) times single kernels. Three kinds of block, each pre-norm with rotary attention
(grouped queries, causal) and SwiGLU:

  dense  one feed-forward network
  moe    `experts` networks, each token through `top_k` of them, dropless, experts one after another
  mot    `modalities` towers: norms, query/key/value, output and feed-forward of each modality's own
         tokens, attention over all

    python3 transformer_blocks.py -o FILE [--seed N] [--kind dense|moe|mot] [--samples N]
    python3 transformer_blocks.py --dry-run      prints the planned blocks; needs no PyTorch

Needs PyTorch 2.5 or later with CUDA. Exit codes: 0 done, 1 the world is wrong, 2 usage, 4 no
PyTorch or no accelerator.

The file, JSON, written aside and renamed after every block:

  {"format": "forerun-transformer-blocks", "schema": 1, "when": "2026-03-01T12:00:00Z", "seed": 1,
   "finished": true, "device": {"name": ..., "torch": ..., "cuda": ...},
   "points": [{"kind": "dense", "batch": 1, "length": 4096, "hidden": 4096, "heads": 32,
     "kv_heads": 8, "head_dim": 128, "ffn": 14336, "experts": 0, "top_k": 0, "modalities": 0,
     "precision": "bf16", "forward_s": 0.0, "backward_s": 0.0, "forward_spread_s": 0.0,
     "backward_spread_s": 0.0, "samples": 21, "peak_memory_B": 0, "rows": []}],
   "left_out": [{"kind": ..., ..., "reason": "out of memory"}]}

forward_s and backward_s are medians over `samples` of one block's pass between two CUDA events, in
eager mode, bf16 weights and gradients, no optimiser; spreads are interquartile ranges. The host
enqueues a pass while the flush of the caches before it runs, which hides some of its time and not
all: a small block may be bound by the host, as it is in training. `rows` are the tokens of each
expert, counted over their top_k places, or of each modality.
"""

import argparse
import json
import os
import statistics
import sys
from datetime import datetime, timezone

WARM_UPS = 5
FLUSH_BYTES = 256 << 20  # written, and as many read: each more than any cache


def block(kind, batch, length, hidden, heads, kv_heads, ffn, experts=0, top_k=0, modalities=0):
    return {"kind": kind, "batch": batch, "length": length, "hidden": hidden, "heads": heads,
            "kv_heads": kv_heads, "head_dim": hidden // heads, "ffn": ffn, "experts": experts,
            "top_k": top_k, "modalities": modalities, "precision": "bf16"}


def planned(kinds):
    """The blocks, most telling first: sizes of Llama 3 8B and 70B, Mixtral, Chameleon 7B and MoT."""
    all_blocks = []
    for length, batch in ((4096, 1), (8192, 1), (2048, 4)):
        all_blocks += [
            block("dense", batch, length, 4096, 32, 8, 14336),
            block("moe", batch, length, 4096, 32, 8, 14336, experts=8, top_k=2),
            block("mot", batch, length, 4096, 32, 32, 11008, modalities=2),
            block("mot", batch, length, 4096, 32, 32, 11008, modalities=3),
            block("dense", batch, length, 4096, 32, 32, 11008),
            block("moe", batch, length, 2048, 16, 4, 1408, experts=64, top_k=6),
            block("dense", batch, length, 2048, 16, 16, 5504),
            block("dense", batch, length, 8192, 64, 8, 28672),
        ]
    return [b for b in all_blocks if b["kind"] in kinds]


def describe(b):
    extra = ""
    if b["kind"] == "moe":
        extra = f" experts={b['experts']} top_k={b['top_k']}"
    if b["kind"] == "mot":
        extra = f" modalities={b['modalities']}"
    return (f"{b['kind']} batch={b['batch']} length={b['length']} hidden={b['hidden']} "
            f"heads={b['heads']} kv_heads={b['kv_heads']} ffn={b['ffn']}{extra}")


def write_whole(path, content):
    """Aside and renamed, so that nobody reads half a file."""
    aside = f"{path}.tmp-{os.getpid()}"
    try:
        with open(aside, "w", encoding="utf-8") as f:
            json.dump(content, f, indent=2, allow_nan=False)
            f.write("\n")
        os.replace(aside, path)
    except BaseException:
        if os.path.exists(aside):
            os.remove(aside)
        raise


def build(torch, b, device, seed):
    """The block as a function of x, the parameters, and rows of each expert or modality."""
    nn = torch.nn
    functional = nn.functional
    generator = torch.Generator(device=device).manual_seed(seed)
    hidden, heads, kv_heads, size, ffn = (b[k] for k in
                                          ("hidden", "heads", "kv_heads", "head_dim", "ffn"))
    tokens = b["batch"] * b["length"]
    parameters = []

    def weight(*shape):
        w = torch.randn(*shape, generator=generator, device=device) * shape[-1] ** -0.5
        w = w.to(torch.bfloat16).requires_grad_()
        parameters.append(w)
        return w

    def ones():
        w = torch.ones(hidden, device=device, dtype=torch.bfloat16, requires_grad=True)
        parameters.append(w)
        return w

    def tower(feed_forward=True):
        t = {"norm1": ones(), "norm2": ones(),
             "qkv": weight((heads + 2 * kv_heads) * size, hidden),
             "out": weight(hidden, heads * size)}
        if feed_forward:
            t["up"], t["down"] = weight(2 * ffn, hidden), weight(hidden, ffn)
        return t

    def swiglu(x, up, down):
        gate, value = functional.linear(x, up).chunk(2, dim=-1)
        return functional.linear(functional.silu(gate) * value, down)

    def norm(x, w):
        return functional.rms_norm(x, (hidden,), w, 1e-5)

    half = torch.arange(0, size, 2, device=device, dtype=torch.float32) / size
    angle = torch.outer(torch.arange(b["length"], device=device, dtype=torch.float32),
                        10000.0 ** -half)
    cosine, sine = (f(angle).to(torch.bfloat16)[None, :, None, :] for f in (torch.cos, torch.sin))

    def rotate(x):
        first, second = x.chunk(2, dim=-1)
        return torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)

    def attend(qkv):
        qkv = qkv.view(b["batch"], b["length"], heads + 2 * kv_heads, size)
        q, k, v = qkv.split((heads, kv_heads, kv_heads), dim=2)
        q, k, v = (t.transpose(1, 2) for t in (rotate(q), rotate(k), v))
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True,
                                                      enable_gqa=heads != kv_heads)
        return out.transpose(1, 2).reshape(tokens, heads * size)

    if b["kind"] == "dense":
        t = tower()

        def run(x):
            x = x + functional.linear(attend(functional.linear(norm(x, t["norm1"]), t["qkv"])),
                                      t["out"])
            return x + swiglu(norm(x, t["norm2"]), t["up"], t["down"])
        return run, parameters, lambda: []

    if b["kind"] == "moe":
        t = tower(feed_forward=False)
        router = weight(b["experts"], hidden)
        experts = [(weight(2 * ffn, hidden), weight(hidden, ffn)) for _ in range(b["experts"])]
        counted = []

        def run(x):
            x = x + functional.linear(attend(functional.linear(norm(x, t["norm1"]), t["qkv"])),
                                      t["out"])
            y = norm(x, t["norm2"])
            scores, chosen = functional.linear(y, router).float().softmax(-1).topk(b["top_k"], -1)
            order = chosen.flatten().argsort(stable=True)
            counts = torch.bincount(chosen.flatten(), minlength=b["experts"]).tolist()  # host waits
            counted[:] = counts
            picked = y[order // b["top_k"]].split(counts)
            done = torch.cat([swiglu(rows, up, down)
                              for rows, (up, down) in zip(picked, experts)])
            done = done * scores.flatten()[order].to(torch.bfloat16)[:, None]
            return x.index_add(0, order // b["top_k"], done)
        return run, parameters, lambda: list(counted)

    towers = [tower() for _ in range(b["modalities"])]
    modality = torch.randint(b["modalities"], (tokens,), generator=generator, device=device)
    places = [(modality == m).nonzero().flatten() for m in range(b["modalities"])]
    back = torch.cat(places).argsort()

    def apart(x, function):
        """`function` of each modality's rows, put back in the tokens' order."""
        return torch.cat([function(x[p], t) for p, t in zip(places, towers)])[back]

    def run(x):
        qkv = apart(x, lambda rows, t: functional.linear(norm(rows, t["norm1"]), t["qkv"]))
        x = x + apart(attend(qkv), lambda rows, t: functional.linear(rows, t["out"]))
        return x + apart(x, lambda rows, t: swiglu(norm(rows, t["norm2"]), t["up"], t["down"]))
    return run, parameters, lambda: [int(p.numel()) for p in places]


def spread(values):
    quartiles = statistics.quantiles(values, n=4, method="inclusive")
    return quartiles[2] - quartiles[0]


def measure(torch, b, seed, samples):
    device = torch.device("cuda", 0)
    run, parameters, rows = build(torch, b, device, seed)
    generator = torch.Generator(device=device).manual_seed(seed + 1)
    shape = (b["batch"] * b["length"], b["hidden"])
    x = torch.randn(shape, generator=generator, device=device).to(torch.bfloat16).requires_grad_()
    up = torch.randn(shape, generator=generator, device=device).to(torch.bfloat16)
    scratch = torch.empty(FLUSH_BYTES // 4, dtype=torch.float32, device=device)
    clean = torch.zeros_like(scratch)

    def flush():
        scratch.zero_()
        clean.sum()  # leaves no dirty lines that the pass would have to write back

    torch.cuda.reset_peak_memory_stats()
    forward, backward = [], []
    for sample in range(WARM_UPS + samples):
        x.grad = None
        for p in parameters:
            p.grad = None
        events = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
        flush()
        events[0].record()
        y = run(x)
        events[1].record()
        flush()
        events[2].record()
        y.backward(up)
        events[3].record()
        torch.cuda.synchronize()
        if sample == 0 and not all(bool(t.isfinite().all()) for t in (y, x.grad)):
            raise RuntimeError("the block's result or gradient is not finite")
        if sample >= WARM_UPS:
            forward.append(events[0].elapsed_time(events[1]) * 1e-3)
            backward.append(events[2].elapsed_time(events[3]) * 1e-3)
    return {**b, "forward_s": statistics.median(forward), "backward_s": statistics.median(backward),
            "forward_spread_s": spread(forward), "backward_spread_s": spread(backward),
            "samples": samples, "peak_memory_B": torch.cuda.max_memory_allocated(), "rows": rows()}


def arguments(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", help="file that is written")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", choices=("dense", "moe", "mot"),
                        help="only these blocks; may be given again")
    parser.add_argument("--samples", type=int, default=21)
    parser.add_argument("--dry-run", action="store_true", help="print the blocks and end")
    asked = parser.parse_args(words)
    if asked.output is None and not asked.dry_run:
        parser.error("-o FILE is needed, or --dry-run")
    if not 3 <= asked.samples <= 10000:
        parser.error(f"--samples: must be from 3 to 10000, found {asked.samples}")
    if asked.seed < 0:
        parser.error(f"--seed: must be at least 0, found {asked.seed}")
    return asked


def main(words):
    asked = arguments(words)
    blocks = planned(asked.kind or ("dense", "moe", "mot"))
    if asked.dry_run:
        for b in blocks:
            print(describe(b))
        print(f"{len(blocks)} blocks planned, none run")
        return 0
    try:
        import torch
    except ImportError as e:
        print(f"error: no PyTorch: {e}", file=sys.stderr)
        return 4
    if not torch.cuda.is_available():
        print("error: PyTorch sees no accelerator", file=sys.stderr)
        return 4
    content = {"format": "forerun-transformer-blocks", "schema": 1,
               "when": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
               "seed": asked.seed, "finished": False,
               "device": {"name": torch.cuda.get_device_name(0), "torch": torch.__version__,
                          "cuda": torch.version.cuda},
               "points": [], "left_out": []}
    for number, b in enumerate(blocks, 1):
        print(f"{number}/{len(blocks)} {describe(b)}", file=sys.stderr)
        try:
            content["points"].append(measure(torch, b, asked.seed, asked.samples))
        except torch.cuda.OutOfMemoryError:
            content["left_out"].append({**b, "reason": "out of memory"})
            torch.cuda.empty_cache()
        content["finished"] = number == len(blocks)
        write_whole(asked.output, content)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (OSError, RuntimeError) as failure:
        print(f"error: {failure}", file=sys.stderr)
        sys.exit(1)
