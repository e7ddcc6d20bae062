"""The training steps of step_data.py in JAX: each one function, compiled by jit, that gives its arguments
away.

Convolutions are in the layout that XLA prefers on processors, with channels last; batch normalization keeps
no running statistics, which the others do. Features that are mostly 0 are rows of weights that are summed,
which takes an eighth of the time of a dense matrix; edges are summed by segment.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy
import step_data
from jax import lax
from measurement import Prepared
from step_data import (
    BLOCKS, DROPOUT, EMBEDDING, FEATURES, FIELD_HEADS, FIELD_LAYERS, FIELDS, HEADS, HOPS, NODES, SEQUENCE,
    TRAINED, VALUES, VOCABULARY, WIDTH,
)


class Initializer:
    """Makes parameters of a seed."""

    def __init__(self):
        self.generator = numpy.random.Generator(numpy.random.PCG64(0))

    def weight(self, *shape):
        """Uniform numbers with the bound of PyTorch's layers; all but the last extent are inputs."""
        bound = math.prod(shape[:-1]) ** -0.5
        return self.generator.uniform(-bound, bound, shape).astype(numpy.float32)

    def linear(self, inputs, outputs):
        return {"w": self.weight(inputs, outputs), "b": numpy.zeros(outputs, numpy.float32)}

    def norm(self, width):
        return {"gamma": numpy.ones(width, numpy.float32), "beta": numpy.zeros(width, numpy.float32)}


def linear(p, x):
    return x @ p["w"] + p["b"]


def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], axis=-1).mean()


def normalized(p, x, axes):
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * p["gamma"] + p["beta"]


def attention(q, k, v, mask=None):
    """Softmax attention of [batch, place, head, width], with False where `mask` forbids."""
    scores = jnp.einsum("bthd,bshd->bhts", q, k) / q.shape[-1] ** 0.5
    if mask is not None:
        scores = jnp.where(mask, scores, -jnp.inf)
    return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, axis=-1), v)


def lenet_parameters(make):
    return [make.linear(784, 300), make.linear(300, 100), make.linear(100, 10)]


def lenet(p, data, key):
    hidden = jax.nn.relu(linear(p[1], jax.nn.relu(linear(p[0], data["x"]))))
    return cross_entropy(linear(p[2], hidden), data["y"])


CHANNELS = [16, 16, 16, 32, 32, 64, 64]


def resnet_parameters(make):
    def layer(inputs, outputs, size):
        return {"w": make.weight(size, size, inputs, outputs)} | make.norm(outputs)

    blocks = []
    for inputs, outputs in zip(CHANNELS, CHANNELS[1:]):
        block = {"first": layer(inputs, outputs, 3), "second": layer(outputs, outputs, 3)}
        blocks.append(block | ({} if inputs == outputs else {"shortcut": layer(inputs, outputs, 1)}))
    return {"stem": layer(3, 16, 3), "blocks": blocks, "head": make.linear(64, 10)}


def resnet(p, data, key):
    def layer(p, x, stride=1):
        padding = [(p["w"].shape[0] // 2,) * 2] * 2
        y = lax.conv_general_dilated(
            x, p["w"], (stride, stride), padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
        )
        return normalized(p, y, (0, 1, 2))

    x = jax.nn.relu(layer(p["stem"], data["x"]))
    for block in p["blocks"]:
        stride = 2 if "shortcut" in block else 1
        shortcut = layer(block["shortcut"], x, stride) if "shortcut" in block else x
        x = jax.nn.relu(layer(block["second"], jax.nn.relu(layer(block["first"], x, stride))) + shortcut)
    return cross_entropy(linear(p["head"], x.mean((1, 2))), data["y"])


def transformer_parameters(make):
    blocks = [
        {
            "before": make.norm(WIDTH),
            "between": make.norm(WIDTH),
            "qkv": make.linear(WIDTH, 3 * WIDTH),
            "projection": make.linear(WIDTH, WIDTH),
            "wide": make.linear(WIDTH, 4 * WIDTH),
            "narrow": make.linear(4 * WIDTH, WIDTH),
        }
        for _ in range(BLOCKS)
    ]
    return {
        "tokens": make.weight(VOCABULARY, WIDTH),
        "positions": make.weight(SEQUENCE, WIDTH),
        "blocks": blocks,
        "norm": make.norm(WIDTH),
        "head": make.linear(WIDTH, VOCABULARY),
    }


def transformer(p, data, key):
    x = p["tokens"][data["x"]] + p["positions"]
    mask = jnp.tril(jnp.ones((SEQUENCE, SEQUENCE), bool))
    for block in p["blocks"]:
        heads = linear(block["qkv"], normalized(block["before"], x, -1))
        q, k, v = jnp.moveaxis(heads.reshape(*x.shape[:2], 3, HEADS, WIDTH // HEADS), 2, 0)
        x = x + linear(block["projection"], attention(q, k, v, mask).reshape(x.shape))
        wide = jax.nn.gelu(linear(block["wide"], normalized(block["between"], x, -1)), approximate=False)
        x = x + linear(block["narrow"], wide)
    return cross_entropy(linear(p["head"], normalized(p["norm"], x, -1)), data["y"])


def dagnn_parameters(make):
    return {"hidden": make.linear(FEATURES, 64), "output": make.linear(64, 7), "gate": make.weight(7, 1)}


def dagnn(p, data, key):
    features, hidden = jax.random.split(key)

    def dropout(key, x):
        return jnp.where(jax.random.bernoulli(key, 1 - DROPOUT, x.shape), x / (1 - DROPOUT), 0)

    rows, columns = data["rows"], data["columns"]
    words = p["hidden"]["w"][columns] * dropout(features, jnp.ones(len(rows)))[:, None]
    product = jax.ops.segment_sum(words, rows, NODES, indices_are_sorted=True)
    x = linear(p["output"], dropout(hidden, jax.nn.relu(product + p["hidden"]["b"])))
    hops = [x]
    for _ in range(HOPS):
        messages = hops[-1][data["source"]] * data["weights"][:, None]
        hops.append(jax.ops.segment_sum(messages, data["target"], NODES, indices_are_sorted=True))
    hops = jnp.stack(hops, 1)
    logits = (jax.nn.sigmoid(hops @ p["gate"]) * hops).sum(1)
    return cross_entropy(logits[:TRAINED], data["labels"])


def lstm_parameters(make):
    return {
        "inputs": make.linear(32, 4 * 128),
        "state": make.linear(128, 4 * 128),
        "head": make.linear(128, 10),
    }


def lstm(p, data, key):
    # The inputs' part is the same for all times, and is one product.
    inputs = linear(p["inputs"], data["x"])

    def cell(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(x + linear(p["state"], h), 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        h = jax.nn.sigmoid(o) * jnp.tanh(c)
        return (h, c), None

    zeros = jnp.zeros((inputs.shape[1], 128))
    (h, _), _ = lax.scan(cell, (zeros, zeros), inputs)
    return cross_entropy(linear(p["head"], h), data["y"])


def tabular_parameters(make):
    outputs = FIELD_HEADS * 16
    widths = [EMBEDDING] + [outputs] * FIELD_LAYERS
    return {
        "embedding": make.generator.normal(size=(FIELDS * VALUES, EMBEDDING)).astype(numpy.float32),
        "layers": [
            {"qkv": make.weight(inputs, 3 * outputs), "residual": make.weight(inputs, outputs)}
            for inputs, outputs in zip(widths, widths[1:])
        ],
        "head": make.linear(FIELDS * outputs, 1),
    }


def tabular(p, data, key):
    x = p["embedding"][data["x"] + jnp.arange(FIELDS) * VALUES]
    for layer in p["layers"]:
        heads = (x @ layer["qkv"]).reshape(*x.shape[:2], 3, FIELD_HEADS, -1)
        attended = attention(*jnp.moveaxis(heads, 2, 0))
        x = jax.nn.relu(attended.reshape(*x.shape[:2], -1) + x @ layer["residual"])
    logits = linear(p["head"], x.reshape(len(x), -1))[:, 0]
    return (jax.nn.softplus(logits) - logits * data["y"]).mean()


LOSSES = {
    "lenet": lenet,
    "resnet": resnet,
    "transformer": transformer,
    "dagnn": dagnn,
    "lstm": lstm,
    "tabular": tabular,
}
PARAMETERS = {
    "lenet": lenet_parameters,
    "resnet": resnet_parameters,
    "transformer": transformer_parameters,
    "dagnn": dagnn_parameters,
    "lstm": lstm_parameters,
    "tabular": tabular_parameters,
}


def descended(name, parameters, gradients, state):
    """Parameters and state after a step of descent with momentum, or of Adam."""
    rate = step_data.RATES[name]
    if name in step_data.MOMENTUM:
        first = jax.tree.map(lambda m, g: step_data.MOMENTUM[name] * m + g, state["first"], gradients)
        return jax.tree.map(lambda p, m: p - rate * m, parameters, first), {"first": first}
    count = state["count"] + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], gradients)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["second"], gradients)
    corrected = rate / (1 - 0.9**count)
    root = jnp.sqrt(1 - 0.999**count)
    parameters = jax.tree.map(
        lambda p, m, v: p - corrected * m / (jnp.sqrt(v) / root + 1e-8), parameters, first, second
    )
    return parameters, {"first": first, "second": second, "count": count}


def case(name):
    def prepared(extents, options):
        arrays = step_data.DATA[name]()
        if name == "resnet":
            arrays["x"] = numpy.ascontiguousarray(arrays["x"].transpose(0, 2, 3, 1))
        arrays = jax.device_put(arrays)
        parameters = jax.device_put(PARAMETERS[name](Initializer()))
        moments = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(2)]
        state = {"first": moments[0]}
        if name not in step_data.MOMENTUM:
            state |= {"second": moments[1], "count": jnp.zeros(())}

        @functools.partial(jax.jit, donate_argnums=(0, 1, 2))
        def step(parameters, state, key, arrays):
            key, used = jax.random.split(key)
            loss, gradients = jax.value_and_grad(LOSSES[name])(parameters, arrays, used)
            return *descended(name, parameters, gradients, state), key, loss

        count = sum(leaf.size for leaf in jax.tree.leaves(parameters))
        current = [parameters, state, jax.random.key(0)]

        def call():
            *current[:], loss = step(*current, arrays)
            return loss.item()

        return Prepared(call, lambda _: None, outputs=lambda: [numpy.array([count])])

    return prepared


CASES = {f"step-{name}": case(name) for name in step_data.NAMES}
