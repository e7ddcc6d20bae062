#!/usr/bin/env python3
"""Compares training steps of a network for nested regions by Hekla's cpu device with PyTorch's eager mode.

A step is what the recipe does: four volumes of four channels and 32^3 voxels, the residual U-net with 8, 16 and 32
features and dropout, the multi-level loss of three regions, its gradient and Adam. Hekla also mirrors the volumes and
copies them in; PyTorch cycles through batches that were made before. PyTorch keeps its tensors in each of two orders of
the axes, channels first or channels last, and is judged by the faster. Both take turns, each in a process of its own so that no
library's waiting threads disturb the next; what is compared is the median over rounds.

Needs `swift build -c release --product hekla`, and PyTorch in the Python that runs this:
Benchmarks/steps/nested-seg.py [--threads 2] [--rounds 5] [--steps 20]
"""

import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BATCH, CHANNELS, EXTENT, FEATURES, CLASSES = 4, 4, 32, (8, 16, 32), 3
STEEPNESS, DROPOUT, RATE = 12.0, 0.3, 3e-3
WAYS = ["first", "last"]


def hekla(threads, steps):
    """Steps per second, as the recipe's progress line says."""
    command = [
        ROOT / ".build/release/hekla", "train", "nested-seg", "--device", "cpu", "--set", "seeds=1", "--set", "train=8",
        "--set", "tests=1", "--set", f"steps={steps}", "--set", f"interval={steps}", "--set", f"batch={BATCH}",
        "--set", f"h={STEEPNESS}", "--set", f"dropout={DROPOUT}",
    ]
    environment = dict(os.environ, HEKLA_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rate = re.findall(r"^nested-seg multi 0: .*?([\d.]+) steps/s", done.stderr, re.MULTILINE)
    if not rate:
        sys.exit(f"{command[0]} did not say how fast it was:\n{done.stderr}")
    return float(rate[-1])


def peer(threads, steps, ways):
    """Steps per second of PyTorch by way, from a process of its own."""
    command = [sys.executable, __file__, "--peer", "--threads", str(threads), "--steps", str(steps), "--ways", *ways]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def run_peer(threads, steps, ways):
    """Prints steps per second of PyTorch, by way, as JSON."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)

    def unit(channels, features, kernel=3, stride=1):
        return nn.Sequential(
            nn.Conv3d(channels, features, kernel, stride, padding=kernel // 2, bias=False),
            nn.InstanceNorm3d(features, affine=True), nn.LeakyReLU(0.01),
        )

    class Context(nn.Module):
        def __init__(self, features):
            super().__init__()
            self.inner = nn.Sequential(
                nn.InstanceNorm3d(features, affine=True), nn.LeakyReLU(0.01),
                nn.Conv3d(features, features, 3, padding=1, bias=False), nn.Dropout(DROPOUT),
                nn.InstanceNorm3d(features, affine=True), nn.LeakyReLU(0.01),
                nn.Conv3d(features, features, 3, padding=1),
            )

        def forward(self, x):
            return x + self.inner(x)

    def doubled(x):
        return F.interpolate(x, scale_factor=2, mode="trilinear", align_corners=False)

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            inputs = (CHANNELS,) + FEATURES
            self.descents = nn.ModuleList(
                nn.Sequential(unit(inputs[level], own, stride=2 if level else 1), Context(own))
                for level, own in enumerate(FEATURES)
            )
            pairs = list(zip(FEATURES, FEATURES[1:]))
            self.rises = nn.ModuleList(unit(below, own) for own, below in pairs)
            self.joins = nn.ModuleList(nn.Sequential(unit(2 * own, own), unit(own, own, kernel=1)) for own, _ in pairs)
            self.heads = nn.ModuleList(nn.Conv3d(own, 1, 1) for own, _ in pairs)

        def forward(self, x):
            levels = []
            for descent in self.descents:
                x = descent(x)
                levels.append(x)
            output = None
            for level in reversed(range(len(self.heads))):
                x = self.joins[level](torch.cat([self.rises[level](doubled(x)), levels[level]], dim=1))
                head = self.heads[level](x)
                output = head if output is None else head + doubled(output)
            return output

    thresholds = torch.arange(CLASSES).reshape(1, CLASSES, 1, 1, 1) + 0.5

    def loss(x, labels):
        logits = STEEPNESS * (x - thresholds)
        regions = (labels[:, None] > thresholds).float()
        p, space = torch.sigmoid(logits), (2, 3, 4)
        dice = (2 * (p * regions).sum(space) + 1) / ((p + regions).sum(space) + 1)
        return F.binary_cross_entropy_with_logits(logits, regions) + (1 - dice).mean()

    def rate(way):
        order = torch.channels_last_3d if way == "last" else torch.contiguous_format
        f = Network().to(memory_format=order)
        adam = torch.optim.Adam(f.parameters(), lr=RATE)
        batches = [
            (
                torch.randn(BATCH, CHANNELS, EXTENT, EXTENT, EXTENT).contiguous(memory_format=order),
                torch.randint(0, CLASSES + 1, (BATCH, EXTENT, EXTENT, EXTENT), dtype=torch.uint8),
            )
            for _ in range(4)
        ]

        def step(number):
            x, labels = batches[number % len(batches)]
            value = loss(f(x), labels)
            adam.zero_grad()
            value.backward()
            adam.step()
            return value.item()

        for number in range(3):
            step(number)
        start = time.perf_counter()
        for number in range(steps):
            step(number)
        return steps / (time.perf_counter() - start)

    print(json.dumps({way: rate(way) for way in ways}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ways", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return run_peer(options.threads, options.steps, options.ways)

    trial = peer(options.threads, max(options.steps // 4, 3), WAYS)
    fastest = max(trial, key=trial.get)
    print("PyTorch, steps/s: " + ", ".join(f"channels {way} {rate:.2f}" for way, rate in trial.items()))
    rounds = []
    for _ in range(options.rounds):
        here = hekla(options.threads, options.steps)
        there = peer(options.threads, options.steps, [fastest])[fastest]
        rounds.append((here, there))
        print(f"Hekla {here:.2f}, PyTorch ({fastest}) {there:.2f}, ratio {here / there:.2f}", flush=True)
    here, there = (statistics.median(rates) for rates in zip(*rounds))
    ratio = statistics.median(pair[0] / pair[1] for pair in rounds)
    print(f"median of {options.rounds} rounds: Hekla {here:.2f}, PyTorch {there:.2f} steps/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
