#!/usr/bin/env python3
"""Compares epochs of DAGNN on Cora, k = 10, by Hekla's cpu device with PyTorch's eager mode.

An epoch is what the recipe does: a training step on the whole graph with dropout, its gradient and Adam, then loss and
accuracy of the validation and test parts without dropout. PyTorch does it in each of four ways, features dense or
sparse and propagation by a product with a sparse matrix or by index_add, and is judged by the fastest. Both take turns,
each in a process of its own so that no library's waiting threads disturb the next; what is compared is the median over
rounds.

Needs `swift build -c release --product hekla`, PyTorch in the Python that runs this, and the files of Planetoid as
text (see `hekla show dagnn`): Benchmarks/steps/dagnn.py --data DIR [--threads 2] [--rounds 5] [--epochs 100]
"""

import argparse
import gzip
import itertools
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
K, HIDDEN, DROPOUT, WEIGHT_DECAY = 10, 64, 0.8, 5e-3


def hekla(data, threads, epochs):
    """Epochs per second, as the recipe's progress line says."""
    command = [
        ROOT / ".build/release/hekla", "train", "dagnn", "--device", "cpu", "--data", data, "--epochs", str(epochs),
        "--set", "data=cora", "--set", "seeds=1", "--set", f"hops={K}", "--set", "layers=2",
    ]
    environment = dict(os.environ, HEKLA_THREADS=str(threads))
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    rate = re.search(rf"^dagnn {K} on cora: .*?([\d.]+) steps/s", done.stderr, re.MULTILINE)
    if not rate:
        sys.exit(f"{command[0]} did not say how fast it was:\n{done.stderr}")
    return float(rate.group(1))


def peer(data, threads, epochs, ways):
    """Epochs per second of PyTorch by way, from a process of its own."""
    command = [sys.executable, __file__, "--peer", "--data", data, "--threads", str(threads), "--epochs", str(epochs)]
    done = subprocess.run(command + ["--ways", *ways], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def lines(folder, part):
    """The lines of Cora's file `part`, as lists of words."""
    for place, end in itertools.product(["", "planetoid", "planetoid/plain"], ["", ".gz"]):
        path = pathlib.Path(folder, place, f"cora.{part}.txt{end}")
        if path.exists():
            with (gzip.open if end else open)(path, "rt") as file:
                return [line.split() for line in file]
    sys.exit(f"there is no cora.{part}.txt in {folder}")


def run_peer(data, threads, epochs, ways):
    """Prints epochs per second of PyTorch, by way, as JSON."""
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    nodes = [[int(word) for word in line] for line in lines(data, "nodes")]
    labels = torch.tensor([node[1] for node in nodes])
    n, c = len(nodes), int(labels.max()) + 1
    places = torch.tensor([(node[0], feature) for node in nodes for feature in node[2:]]).T
    values = torch.tensor([1 / (len(node) - 2) for node in nodes for _ in node[2:]])
    d = int(places[1].max()) + 1
    dense_x = torch.sparse_coo_tensor(places, values, (n, d)).to_dense()
    edges = torch.tensor([[int(word) for word in line] for line in lines(data, "edges")]).T
    loops = torch.arange(n).repeat(2, 1)
    source, target = torch.cat([edges, edges.flip(0), loops], dim=1)
    degrees = torch.zeros(n).index_add(0, target, torch.ones(len(target)))
    weights = (degrees[source] * degrees[target]) ** -0.5
    adjacency = torch.sparse_coo_tensor(torch.stack([target, source]), weights, (n, n)).coalesce().to_sparse_csr()
    parts = {}
    for name, *words in lines(data, "split"):
        ends = [[int(end) for end in word.split("..")] for word in words]
        parts[name] = torch.tensor([vertex for end in ends for vertex in range(end[0], end[-1] + 1)])

    class Adjacency(torch.autograd.Function):
        """The product with the adjacency, which is its own transpose."""

        @staticmethod
        def forward(context, z):
            return adjacency @ z

        @staticmethod
        def backward(context, upstream):
            return adjacency @ upstream

    class Features(torch.autograd.Function):
        """The product of features most of which are 0 with weights."""

        @staticmethod
        def forward(context, values, weight):
            context.x = torch.sparse_coo_tensor(places, values, (n, d), is_coalesced=True)
            return context.x @ weight

        @staticmethod
        def backward(context, upstream):
            return None, context.x.t() @ upstream

    def rate(features, propagation):
        def glorot(*shape):
            return torch.nn.init.xavier_uniform_(torch.empty(shape)).requires_grad_()

        w1, b1, w2, b2, s = parameters = [
            glorot(d, HIDDEN), torch.zeros(HIDDEN, requires_grad=True), glorot(HIDDEN, c),
            torch.zeros(c, requires_grad=True), glorot(c, 1),
        ]
        adam = torch.optim.Adam(parameters, lr=0.01, weight_decay=WEIGHT_DECAY)

        def logits(training):
            if features == "dense":
                h = F.dropout(dense_x, DROPOUT, training) @ w1 + b1
            else:
                h = Features.apply(F.dropout(values, DROPOUT, training), w1) + b1
            h = [F.dropout(F.relu(h), DROPOUT, training) @ w2 + b2]
            for _ in range(K):
                if propagation == "csr":
                    h.append(Adjacency.apply(h[-1]))
                else:
                    h.append(torch.zeros(n, c).index_add(0, target, h[-1][source] * weights[:, None]))
            h = torch.stack(h, dim=1)
            return (torch.sigmoid(h @ s).transpose(1, 2) @ h).squeeze(1)

        def epoch():
            loss = F.cross_entropy(logits(True)[parts["train"]], labels[parts["train"]])
            adam.zero_grad()
            loss.backward()
            adam.step()
            with torch.no_grad():
                out = logits(False)
                for part in (parts["val"], parts["test"]):
                    F.cross_entropy(out[part], labels[part]).item()
                    (out[part].argmax(dim=1) == labels[part]).float().mean().item()
            return loss.item()

        for _ in range(5):
            epoch()
        start = time.perf_counter()
        for _ in range(epochs):
            epoch()
        return epochs / (time.perf_counter() - start)

    print(json.dumps({way: rate(*way.split("+")) for way in ways}))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="the folder with the data sets")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--ways", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        return run_peer(options.data, options.threads, options.epochs, options.ways)

    ways = [f"{features}+{propagation}" for features in ("dense", "sparse") for propagation in ("csr", "index_add")]
    trial = peer(options.data, options.threads, max(options.epochs // 5, 5), ways)
    fastest = max(trial, key=trial.get)
    print("PyTorch, epochs/s: " + ", ".join(f"{way} {rate:.1f}" for way, rate in trial.items()))
    rounds = []
    for _ in range(options.rounds):
        here = hekla(options.data, options.threads, options.epochs)
        there = peer(options.data, options.threads, options.epochs, [fastest])[fastest]
        rounds.append((here, there))
        print(f"Hekla {here:.1f}, PyTorch ({fastest}) {there:.1f}, ratio {here / there:.2f}")
    here, there = (statistics.median(rates) for rates in zip(*rounds))
    ratio = statistics.median(pair[0] / pair[1] for pair in rounds)
    print(f"median of {options.rounds} rounds: Hekla {here:.1f}, PyTorch {there:.1f} epochs/s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
