#!/usr/bin/env python3
"""Compares epochs of DAGNN on Cora, k = 10, by Hekla's cpu device with PyTorch's eager mode.

An epoch, a step here, is what the recipe does: a training step on the whole graph with dropout, its gradient and Adam,
then loss and accuracy of the validation and test parts without dropout. PyTorch does it in each of eight ways: features
dense or sparse, propagation by a product with a sparse matrix or by index_add, hops stacked or summed one by one as the
recipe sums them; Adam is fused.

The files are those of Planetoid as text, which `hekla show dagnn` describes. The program trains other networks after
this one, so processor time is not compared.

Benchmarks/steps/dagnn.py --data DIR [--threads 2] [--rounds 5] [--steps 100]; see rounds.py.
"""

import gzip
import itertools
import pathlib
import sys

from rounds import compare, hekla

K, HIDDEN, DROPOUT, WEIGHT_DECAY = 10, 64, 0.8, 5e-3
WAYS = ["+".join(way) for way in itertools.product(("dense", "sparse"), ("csr", "index_add"), ("stacked", "summed"))]


def here(options, count):
    """Hekla's epochs per second."""
    command = ["train", "dagnn", "--device", "cpu", "--data", options.data]
    for setting in ("data=cora", "seeds=1", f"hops={K}", "layers=2"):
        command += ["--set", setting]
    return hekla(options, f"dagnn {K} on cora", lambda steps: [*command, "--epochs", str(steps)], count)


def lines(folder, part):
    """The lines of Cora's file `part`, as lists of words."""
    for place, end in itertools.product(["", "planetoid", "planetoid/plain"], ["", ".gz"]):
        path = pathlib.Path(folder, place, f"cora.{part}.txt{end}")
        if path.exists():
            with (gzip.open if end else open)(path, "rt") as file:
                return [line.split() for line in file]
    sys.exit(f"there is no cora.{part}.txt in {folder}")


def there(options):
    """PyTorch's epoch by way."""
    import torch
    import torch.nn.functional as F

    nodes = [[int(word) for word in line] for line in lines(options.data, "nodes")]
    labels = torch.tensor([node[1] for node in nodes])
    n, c = len(nodes), int(labels.max()) + 1
    places = torch.tensor([(node[0], feature) for node in nodes for feature in node[2:]]).T
    values = torch.tensor([1 / (len(node) - 2) for node in nodes for _ in node[2:]])
    d = int(places[1].max()) + 1
    dense_x = torch.sparse_coo_tensor(places, values, (n, d)).to_dense()
    edges = torch.tensor([[int(word) for word in line] for line in lines(options.data, "edges")]).T
    loops = torch.arange(n).repeat(2, 1)
    source, target = torch.cat([edges, edges.flip(0), loops], dim=1)
    degrees = torch.zeros(n).index_add(0, target, torch.ones(len(target)))
    weights = (degrees[source] * degrees[target]) ** -0.5
    adjacency = torch.sparse_coo_tensor(torch.stack([target, source]), weights, (n, n)).coalesce().to_sparse_csr()
    parts = {}
    for name, *words in lines(options.data, "split"):
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

    def stepping(way):
        features, propagation, combination = way.split("+")

        def glorot(*shape):
            return torch.nn.init.xavier_uniform_(torch.empty(shape)).requires_grad_()

        w1, b1, w2, b2, s = parameters = [
            glorot(d, HIDDEN), torch.zeros(HIDDEN, requires_grad=True), glorot(HIDDEN, c),
            torch.zeros(c, requires_grad=True), glorot(c, 1),
        ]
        adam = torch.optim.Adam(parameters, lr=0.01, weight_decay=WEIGHT_DECAY, fused=True)

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
            if combination == "summed":
                return sum(torch.sigmoid(hop @ s) * hop for hop in h)
            h = torch.stack(h, dim=1)
            return (torch.sigmoid(h @ s).transpose(1, 2) @ h).squeeze(1)

        def step(_):
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

        return step

    return stepping


if __name__ == "__main__":
    compare(__doc__, WAYS, here, there, steps=100, has_busy=False, arguments=[("--data", "the folder with the data sets")])
