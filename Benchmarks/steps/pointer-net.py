#!/usr/bin/env python3
"""Compares training steps of a pointer network for hulls of 5 to 12 points by Hekla's cpu device with PyTorch's eager mode.

A step is what the recipe does: a batch, encoder and decoder of width 128, attention of all steps at once, the masked
cross-entropy, its gradient clipped by norm, and Adam. Hekla also makes the batch's points and hulls; PyTorch cycles
through batches that were made before. PyTorch does it in each of four ways, torch.nn.LSTM over packed sequences or a loop
over torch.nn.LSTMCell with torch.where, and Adam fused or not.

Benchmarks/steps/pointer-net.py [--threads 2] [--rounds 5] [--steps 200] [--busy]; see rounds.py.
"""

import random

from rounds import compare, hekla

BATCH, H, LEAST, MOST, CLIP, RATE = 64, 128, 5, 12, 2.0, 2e-3
WAYS = [f"{lstm}+{adam}" for lstm in ("packed", "cells") for adam in ("plain", "fused")]


def here(options, count):
    """Hekla's steps per second."""
    settings = ["networks=hull", "seeds=1", "tests=1", f"batch={BATCH}", f"h={H}"]
    command = ["train", "pointer-net", "--device", "cpu"] + [word for setting in settings for word in ("--set", setting)]
    return hekla(options, "pointer-net hull 0", lambda steps: [*command, "--set", f"steps={steps}"], count)


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


def there(options):
    """PyTorch's step by way."""
    import torch
    import torch.nn.functional as F
    from torch import nn

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

    def stepping(way):
        lstm, adam = way.split("+")
        f = Network(lstm)
        optimizer = torch.optim.Adam(f.parameters(), lr=RATE, fused=adam == "fused")

        def step(number):
            x, lengths, c = batches[number % len(batches)]
            loss = F.cross_entropy(f(x, lengths, c).flatten(0, 1), c.flatten(), ignore_index=-1)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(f.parameters(), CLIP)
            optimizer.step()
            return loss.item()

        return step

    return stepping


if __name__ == "__main__":
    compare(__doc__, WAYS, here, there)
