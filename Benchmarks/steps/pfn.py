#!/usr/bin/env python3
"""Compares training steps of the PFN on Gaussian processes (T 30, batch 64) by Hekla's cpu device with PyTorch's eager
mode.

A step is what the recipe does: 64 data sets are drawn from the prior (kernel matrices, their Cholesky factors times
normal numbers), n is drawn from 1 to 29, all equally likely, then come the loss of the bar distribution, its gradient,
clipping and Adam. PyTorch does it in four ways, attention by nn.TransformerEncoderLayer or by
scaled_dot_product_attention and Adam fused or not.

Benchmarks/steps/pfn.py [--threads 2] [--rounds 5] [--steps 300] [--busy]; see rounds.py.
"""

import math

from rounds import compare, hekla

T, BATCH, BUCKETS, WIDTH, HEADS, HIDDEN, LAYERS = 30, 64, 100, 64, 4, 128, 3
LENGTH_SCALE, NOISE = 0.2, 1e-2
WAYS = [f"{block}+{adam}" for block in ("stock", "sdpa") for adam in ("plain", "fused")]


def here(options, count):
    """Hekla's steps per second."""
    settings = ["mixSteps=1", "seeds=1", "contexts=1", "tasks=2", "slowTasks=1"]
    command = ["train", "pfn", "--device", "cpu"] + [word for setting in settings for word in ("--set", setting)]
    return hekla(options, "pfn A0", lambda steps: [*command, "--set", f"steps={steps}"], count)


def there(options):
    """PyTorch's step by way."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    def process(batch):
        x = torch.rand(batch, T, 1)
        kernel = torch.exp(-((x - x.transpose(1, 2)) ** 2) / (2 * LENGTH_SCALE**2))
        factor = torch.linalg.cholesky(kernel + NOISE * torch.eye(T))
        return x, (factor @ torch.randn(batch, T, 1)).squeeze(2)

    borders = torch.quantile(process(3334)[1].flatten(), torch.linspace(0, 1, BUCKETS + 1))
    widths = borders.diff()
    scales = widths[[0, -1]] / 0.6744897501960817
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

    def stepping(way):
        block, adam = way.split("+")
        network = Network({"stock": Stock, "sdpa": Block}[block])
        optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=adam == "fused")
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1, (step + 1) / 1250))

        def step(number):
            x, y = process(BATCH)
            n = int(torch.randint(1, T, ()))
            value = loss(network(x, y, torch.arange(T) < n)[:, n:], y[:, n:]).mean()
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            return value.item()

        return step

    return stepping


if __name__ == "__main__":
    compare(__doc__, WAYS, here, there, steps=300)
