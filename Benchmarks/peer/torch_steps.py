"""The training steps of step_data.py in PyTorch, eagerly or with torch.compile; their optimizers are fused.

What is compiled is the loss with its gradient; the fused optimizer is one call already. Features that are
mostly 0 are a sparse matrix, and edges are the rows of another, which was the fastest of the ways that
Benchmarks/steps/dagnn.py knows.
"""

import step_data
import torch
import torch.nn.functional as F
from measurement import Prepared
from step_data import (
    BLOCKS, DROPOUT, EMBEDDING, FEATURES, FIELD_HEADS, FIELD_LAYERS, FIELDS, HEADS, HOPS, NODES, SEQUENCE,
    TRAINED, VALUES, VOCABULARY, WIDTH,
)
from torch import nn


class LeNet(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
        )

    def forward(self, x, y):
        return F.cross_entropy(self.layers(x), y)


class Normalized(nn.Sequential):
    """A convolution and batch normalization, which keeps running statistics too."""

    def __init__(self, inputs, outputs, size, stride=1):
        super().__init__(
            nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs)
        )


class Residual(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        stride = 1 if inputs == outputs else 2
        self.first, self.second = Normalized(inputs, outputs, 3, stride), Normalized(outputs, outputs, 3)
        self.shortcut = nn.Identity() if stride == 1 else Normalized(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, data):
        super().__init__()
        channels = [16, 16, 16, 32, 32, 64, 64]
        blocks = [Residual(*pair) for pair in zip(channels, channels[1:])]
        self.layers = nn.Sequential(Normalized(3, 16, 3), nn.ReLU(), *blocks)
        self.head = nn.Linear(64, 10)

    def forward(self, x, y):
        return F.cross_entropy(self.head(self.layers(x).mean((2, 3))), y)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.qkv, self.projection = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.feed_forward = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        batch, sequence, _ = x.shape
        heads = (
            self.qkv(self.before(x)).view(batch, sequence, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        )
        attended = F.scaled_dot_product_attention(*heads.unbind(0), is_causal=True)
        x = x + self.projection(attended.transpose(1, 2).reshape(batch, sequence, WIDTH))
        return x + self.feed_forward(self.between(x))


class Transformer(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.tokens = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Parameter(0.02 * torch.randn(SEQUENCE, WIDTH))
        self.blocks = nn.Sequential(*(Block() for _ in range(BLOCKS)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, VOCABULARY)

    def forward(self, x, y):
        logits = self.head(self.norm(self.blocks(self.tokens(x) + self.positions)))
        return F.cross_entropy(logits.flatten(0, 1), y.flatten())


class SparseProduct(torch.autograd.Function):
    """The product of a constant sparse matrix, which is its own transpose, with a dense one."""

    @staticmethod
    def forward(context, matrix, x):
        context.matrix = matrix
        return matrix @ x

    @staticmethod
    def backward(context, upstream):
        return None, context.matrix @ upstream


class FeatureProduct(torch.autograd.Function):
    """The product of a sparse matrix with the given values with dense weights."""

    @staticmethod
    def forward(context, places, values, weight):
        context.x = torch.sparse_coo_tensor(places, values, (NODES, FEATURES), is_coalesced=True)
        return context.x @ weight

    @staticmethod
    def backward(context, upstream):
        return None, None, context.x.t() @ upstream


class DAGNN(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.places = torch.stack([data["rows"], data["columns"]])
        self.ones = torch.ones(len(data["rows"]))
        edges = torch.stack([data["target"], data["source"]])
        adjacency = torch.sparse_coo_tensor(edges, data["weights"], (NODES, NODES)).coalesce()
        self.adjacency = adjacency.to_sparse_csr()
        self.w1, self.b1 = nn.Parameter(torch.empty(FEATURES, 64)), nn.Parameter(torch.zeros(64))
        self.w2, self.b2 = nn.Parameter(torch.empty(64, 7)), nn.Parameter(torch.zeros(7))
        self.gate = nn.Parameter(torch.empty(7, 1))
        for weight in (self.w1, self.w2, self.gate):
            nn.init.xavier_uniform_(weight)

    def forward(self, labels):
        hidden = FeatureProduct.apply(self.places, F.dropout(self.ones, DROPOUT), self.w1) + self.b1
        hops = [F.dropout(F.relu(hidden), DROPOUT) @ self.w2 + self.b2]
        for _ in range(HOPS):
            hops.append(SparseProduct.apply(self.adjacency, hops[-1]))
        hops = torch.stack(hops, 1)
        logits = (torch.sigmoid(hops @ self.gate).transpose(1, 2) @ hops).squeeze(1)
        return F.cross_entropy(logits[:TRAINED], labels)


class LSTM(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.layer, self.head = nn.LSTM(32, 128), nn.Linear(128, 10)

    def forward(self, x, y):
        _, (last, _) = self.layer(x)
        return F.cross_entropy(self.head(last[0]), y)


class FieldAttention(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.qkv = nn.Linear(inputs, 3 * outputs, bias=False)
        self.residual = nn.Linear(inputs, outputs, bias=False)

    def forward(self, x):
        batch, fields, _ = x.shape
        heads = self.qkv(x).view(batch, fields, 3, FIELD_HEADS, -1).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(*heads.unbind(0)).transpose(1, 2)
        return F.relu(attended.reshape(batch, fields, -1) + self.residual(x))


class Tabular(nn.Module):
    def __init__(self, data):
        super().__init__()
        self.embedding = nn.Embedding(FIELDS * VALUES, EMBEDDING)
        self.offsets = torch.arange(FIELDS) * VALUES
        outputs = FIELD_HEADS * 16
        widths = [EMBEDDING] + [outputs] * FIELD_LAYERS
        self.layers = nn.Sequential(*(FieldAttention(*pair) for pair in zip(widths, widths[1:])))
        self.head = nn.Linear(FIELDS * outputs, 1)

    def forward(self, x, y):
        logits = self.head(self.layers(self.embedding(x + self.offsets)).flatten(1))
        return F.binary_cross_entropy_with_logits(logits.squeeze(1), y)


MODELS = {
    "lenet": (LeNet, ("x", "y")),
    "resnet": (ResNet, ("x", "y")),
    "transformer": (Transformer, ("x", "y")),
    "dagnn": (DAGNN, ("labels",)),
    "lstm": (LSTM, ("x", "y")),
    "tabular": (Tabular, ("x", "y")),
}


def tensors(name):
    """The data of a step; indices are int64 here, as PyTorch's losses ask for."""
    arrays = {key: torch.from_numpy(array) for key, array in step_data.DATA[name]().items()}
    return {key: array.long() if array.dtype == torch.int32 else array for key, array in arrays.items()}


def training(name, arrays, is_compiled=False):
    """The model and a step of its training on `arrays`, which returns the loss."""
    torch.manual_seed(0)
    kind, arguments = MODELS[name]
    model, inputs = kind(arrays), [arrays[argument] for argument in arguments]
    rate = step_data.RATES[name]
    if name in step_data.MOMENTUM:
        optimizer = torch.optim.SGD(model.parameters(), rate, momentum=step_data.MOMENTUM[name], fused=True)
    else:
        optimizer = torch.optim.Adam(model.parameters(), rate, fused=True)
    loss_of = torch.compile(model) if is_compiled else model

    def step():
        optimizer.zero_grad()
        loss = loss_of(*inputs)
        loss.backward()
        optimizer.step()
        return loss.item()

    return model, step


def cases(is_compiled):
    """Each step as a case that is prepared for timing."""

    def case(name):
        def prepared(extents, options):
            model, step = training(name, tensors(name), is_compiled)
            count = sum(parameter.numel() for parameter in model.parameters())
            return Prepared(step, lambda _: None, outputs=lambda: [step_data.numpy.array([count])])

        return prepared

    return {f"step-{name}": case(name) for name in step_data.NAMES}
