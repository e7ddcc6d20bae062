#!/usr/bin/env python3
"""Compares training steps of a pointer network for hulls of 5 to 12 points by Hekla's cpu device with PyTorch's eager mode.

A step is what the recipe does: a batch of 64, encoder and decoder of width 128, attention of all steps at once, the
masked cross-entropy, its gradient clipped by norm, and Adam. Hekla also makes the batch's points and hulls; PyTorch
cycles through batches that were made before. PyTorch does it in each of two ways, torch.nn.LSTM over packed sequences
or a loop over torch.nn.LSTMCell with torch.where, and is judged by the faster. Both take turns, each in a process of
its own so that no library's waiting threads disturb the next; what is compared is the median over rounds.

Needs `swift build -c release --product hekla`, and PyTorch in the Python that runs this:
Benchmarks/steps/pointer-net.py [--threads 2] [--rounds 5] [--steps 200]
"""

import argparse
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BATCH, H, LEAST, MOST, CLIP, RATE = 64, 128, 5, 12, 2.0, 2e-3
WAYS = ["packed", "cells"]


def hekla(threads, steps):
    """Steps per second, as the recipe's progress line says."""
    command = [
        ROOT / ".build/release/hekla", "train", "pointer-net", "--device", "cpu", "--set", "networks=hull",
        "--set", f"steps={steps}", "--set", "tests=1", "--set", f"batch={BATCH}", "--set", f"h={H}",
    ]
    environment = dict(os.environ, HEKLA_THREADS=str(threads))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rate = re.findall(r"^pointer-net, hull: .*?([\d.]+) steps/s", done.stderr, re.MULTILINE)
    if not rate:
        sys.exit(f"{command[0]} did not say how fast it was:\n{done.stderr}")
    return float(rate[-1])


def peer(threads, steps, ways):
    """Steps per second of PyTorch by way, from a process of its own."""
    command = [sys.executable, __file__, "--peer", "--threads", str(threads), "--steps", str(steps)]
    done = subprocess.run(command + ["--ways", *ways], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def hull(points):
    """Indices of the hull's corners, counter-clockwise from the least, by the monotone chain."""

    def chain(order):
        corners = []
        for index in order:
            x, y = points[index]
            while len(corners) > 1:
                (ax, ay), (bx, by) = points[corners[-2]], points[corners[-1]]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                corners.pop()
            corners.append(index)
        return corners[:-1]

    order = sorted(range(len(points)), key=lambda index: points[index])
    corners = chain(order) + chain(order[::-1])
    first = corners.index(min(corners))
    return corners[first:] + corners[:first]


def run_peer(threads, steps, ways):
    """Prints steps per second of PyTorch, by way, as JSON."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    random.seed(0)

    def batch():
        x, lengths = torch.zeros(MOST, BATCH, 2), torch.zeros(BATCH, dtype=torch.long)
        c = torch.full((MOST + 1, BATCH), -1)
        for b in range(BATCH):
            n = random.randint(LEAST, MOST)
            points = [(random.random(), random.random()) for _ in range(n)]
            answer = [corner + 1 for corner in hull(points)] + [0]
            x[:n, b], lengths[b] = torch.tensor(points), n
            c[: len(answer), b] = torch.tensor(answer)
        return x, lengths, c

    batches = [batch() for _ in range(16)]

    class Network(nn.Module):
        def __init__(self, way):
            super().__init__()
            self.way = way
            kind = nn.LSTM if way == "packed" else nn.LSTMCell
            self.encoder, self.decoder = kind(2, H), kind(2, H)
            self.start, self.e0 = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(H))
            self.w1, self.w2 = nn.Linear(H, H, bias=False), nn.Linear(H, H, bias=False)
            self.v = nn.Parameter(torch.empty(H).uniform_(-0.08, 0.08))

        def encode(self, x, lengths):
            if self.way == "packed":
                packed = nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=False)
                outputs, state = self.encoder(packed)
                return nn.utils.rnn.pad_packed_sequence(outputs, total_length=MOST)[0], state
            state = (torch.zeros(BATCH, H), torch.zeros(BATCH, H))
            outputs = []
            for t in range(MOST):
                goes_on = (lengths > t)[:, None]
                after = self.encoder(x[t], state)
                outputs.append(torch.where(goes_on, after[0], 0))
                state = tuple(torch.where(goes_on, new, old) for new, old in zip(after, state))
            return torch.stack(outputs), state

        def decode(self, inputs, state):
            if self.way == "packed":
                return self.decoder(inputs, state)[0]
            outputs = []
            for x in inputs:
                state = self.decoder(x, state)
                outputs.append(state[0])
            return torch.stack(outputs)

        def forward(self, x, lengths, c):
            e, state = self.encode(x, lengths)
            e = torch.cat([self.e0.expand(1, BATCH, H), e])
            before = (c[:-1] - 1).clamp(min=0)
            points = x.gather(0, before[:, :, None].expand(-1, -1, 2))
            d = self.decode(torch.cat([self.start.expand(1, BATCH, 2), points]), state)
            u = torch.tanh(self.w1(e).transpose(0, 1) + self.w2(d)[:, :, None]) @ self.v
            return u.masked_fill(torch.arange(MOST + 1) > lengths[:, None], -1e30)

    def rate(way):
        f = Network(way)
        adam = torch.optim.Adam(f.parameters(), lr=RATE)

        def step(number):
            x, lengths, c = batches[number % len(batches)]
            loss = F.cross_entropy(f(x, lengths, c).flatten(0, 1), c.flatten(), ignore_index=-1)
            adam.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(f.parameters(), CLIP)
            adam.step()
            return loss.item()

        for number in range(10):
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
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ways", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return run_peer(options.threads, options.steps, options.ways)

    trial = peer(options.threads, max(options.steps // 5, 5), WAYS)
    fastest = max(trial, key=trial.get)
    print("PyTorch, steps/s: " + ", ".join(f"{way} {rate:.1f}" for way, rate in trial.items()))
    rounds = []
    for _ in range(options.rounds):
        here = hekla(options.threads, options.steps)
        there = peer(options.threads, options.steps, [fastest])[fastest]
        rounds.append((here, there))
        print(f"Hekla {here:.1f}, PyTorch ({fastest}) {there:.1f}, ratio {here / there:.2f}")
    here, there = (statistics.median(rates) for rates in zip(*rounds))
    ratio = statistics.median(pair[0] / pair[1] for pair in rounds)
    print(f"median of {options.rounds} rounds: Hekla {here:.1f}, PyTorch {there:.1f} steps/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
