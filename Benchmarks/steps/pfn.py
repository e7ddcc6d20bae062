#!/usr/bin/env python3
"""Compares training steps of the PFN on Gaussian processes (T 30, batch 64) by Hekla's cpu device with PyTorch's eager
mode.

A step is what the recipe does: 64 data sets are drawn from the prior (kernel matrices, their Cholesky factors times
normal numbers), n is drawn, then come the loss of the bar distribution, its gradient, clipping and Adam. PyTorch does
it in four ways, attention by nn.TransformerEncoderLayer or by scaled_dot_product_attention and Adam fused or not, and
is judged by the fastest. Both take turns, each in a process of its own so that no library's waiting threads disturb
the next; what is compared is the median over rounds.

With --busy both are measured in seconds of processor time of one thread, which others on the machine disturb less.

Needs `swift build -c release --product hekla` and PyTorch in the Python that runs this:
Benchmarks/steps/pfn.py [--threads 2] [--rounds 5] [--steps 300] [--busy]
"""

import argparse
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
T, BATCH, BUCKETS, WIDTH, HEADS, HIDDEN, LAYERS = 30, 64, 100, 64, 4, 128, 3
LENGTH_SCALE, NOISE = 0.2, 1e-2


def spent(run):
    """What `run` returns, and the processor time of the processes that it waited for, in seconds."""
    before = os.times()
    result = run()
    after = os.times()
    return result, after.children_user + after.children_system - before.children_user - before.children_system


def hekla(threads, steps):
    """Steps per second, as the recipe's progress line says."""
    command = [ROOT / ".build/release/hekla", "train", "pfn", "--device", "cpu"]
    settings = [f"steps={steps}", "mixSteps=1", "seeds=1", "contexts=1", "tasks=2", "slowTasks=1"]
    environment = dict(os.environ, HEKLA_THREADS=str(threads))
    environment.pop("HEKLA_DATA", None)
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rate = re.search(r"^pfn A0: .*?([\d.]+) steps/s", done.stderr, re.MULTILINE)
    if not rate:
        sys.exit(f"{command[0]} did not say how fast it was:\n{done.stderr}")
    return float(rate.group(1))


def peer(threads, steps, ways, is_busy):
    """Steps per second of PyTorch by way, from a process of its own."""
    command = [sys.executable, __file__, "--peer", "--threads", str(threads), "--steps", str(steps)]
    command += ["--busy"] if is_busy else []
    done = subprocess.run(command + ["--ways", *ways], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def run_peer(threads, steps, ways, clock):
    """Prints steps per second of PyTorch, by way, as JSON."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    def process(batch):
        x = torch.rand(batch, T, 1)
        kernel = torch.exp(-((x - x.transpose(1, 2)) ** 2) / (2 * LENGTH_SCALE**2))
        factor = torch.linalg.cholesky(kernel + NOISE * torch.eye(T))
        return x, (factor @ torch.randn(batch, T, 1)).squeeze(2)

    borders = torch.quantile(process(3334)[1].flatten(), torch.linspace(0, 1, BUCKETS + 1))
    widths = borders.diff()
    scales = widths[[0, -1]] / 0.6744897501960817
    weights = 1 / (T - torch.arange(1, T, dtype=torch.float32))
    log_widths = widths.log()
    log_widths[0] = log_widths[-1] = 0

    class Block(nn.Module):
        """A post-norm block by scaled_dot_product_attention."""

        def __init__(self):
            super().__init__()
            self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
            self.linear1, self.linear2 = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, WIDTH)
            self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)

        def forward(self, x, mask):
            q, k, v = self.qkv(x).view(-1, T, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
            read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask).transpose(1, 2).reshape(-1, T, WIDTH)
            x = self.norm1(x + self.out(read))
            return self.norm2(x + self.linear2(F.gelu(self.linear1(x), approximate="tanh")))

    class Stock(nn.TransformerEncoderLayer):
        """PyTorch's own block."""

        def __init__(self):
            gelu = nn.GELU(approximate="tanh")
            super().__init__(WIDTH, HEADS, HIDDEN, dropout=0.0, activation=gelu, batch_first=True)

        def forward(self, x, mask):
            return super().forward(x, src_mask=~mask)

    class Network(nn.Module):
        def __init__(self, block):
            super().__init__()
            self.x, self.y = nn.Linear(1, WIDTH), nn.Linear(1, WIDTH)
            self.blocks = nn.ModuleList(block() for _ in range(LAYERS))
            self.decoder, self.output = nn.Linear(WIDTH, HIDDEN), nn.Linear(HIDDEN, BUCKETS)
            for one in self.blocks:
                nn.init.zeros_(one.linear2.weight)
                nn.init.zeros_((one.out if hasattr(one, "out") else one.self_attn.out_proj).weight)

        def forward(self, x, y, is_context):
            h = self.x(x) + torch.where(is_context[:, None], self.y(y[:, :, None]), 0.0)
            mask = is_context | torch.eye(T, dtype=torch.bool)
            for block in self.blocks:
                h = block(h, mask)
            return self.output(F.gelu(self.decoder(h), approximate="tanh"))

    def loss(logits, y):
        bucket = torch.bucketize(y, borders[1:-1], right=True)
        picked = logits.log_softmax(2).gather(2, bucket[:, :, None]).squeeze(2) - log_widths[bucket]
        distance = torch.where(bucket == 0, borders[1] - y, y - borders[-2])
        scale = torch.where(bucket == 0, scales[0], scales[1])
        tail = 0.5 * math.log(2 / math.pi) - scale.log() - 0.5 * (distance / scale) ** 2
        return -(picked + torch.where((bucket == 0) | (bucket == BUCKETS - 1), tail, 0.0))

    def rate(block, adam):
        network = Network({"stock": Stock, "sdpa": Block}[block])
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=adam == "fused")
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 1250))

        def step():
            x, y = process(BATCH)
            n = int(torch.multinomial(weights, 1)) + 1
            value = loss(network(x, y, torch.arange(T) < n)[:, n:], y[:, n:]).mean()
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            return value.item()

        for _ in range(10):
            step()
        start = clock()
        for _ in range(steps):
            step()
        return steps / (clock() - start)

    print(json.dumps({way: rate(*way.split("+")) for way in ways}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--busy", action="store_true", help="compare seconds of processor time, for busy machines")
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ways", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        clock = time.process_time if options.busy else time.perf_counter
        return run_peer(options.threads, options.steps, options.ways, clock)

    options.threads = 1 if options.busy else options.threads
    ways = [f"{block}+{adam}" for block in ("stock", "sdpa") for adam in ("plain", "fused")]
    trial = peer(options.threads, max(options.steps // 5, 5), ways, options.busy)
    fastest = max(trial, key=trial.get)
    print("PyTorch, steps/s: " + ", ".join(f"{way} {rate:.1f}" for way, rate in trial.items()))
    rounds = []
    for _ in range(options.rounds):
        if options.busy:
            # What is not training is there in both runs.
            start, whole = (spent(lambda: hekla(options.threads, n))[1] for n in (10, options.steps + 10))
            here = options.steps / (whole - start)
        else:
            here = hekla(options.threads, options.steps)
        there = peer(options.threads, options.steps, [fastest], options.busy)[fastest]
        rounds.append((here, there))
        print(f"Hekla {here:.1f}, PyTorch ({fastest}) {there:.1f}, ratio {here / there:.2f}")
    here, there = (statistics.median(rates) for rates in zip(*rounds))
    ratio = statistics.median(pair[0] / pair[1] for pair in rounds)
    print(f"median of {options.rounds} rounds: Hekla {here:.1f}, PyTorch {there:.1f} steps/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
