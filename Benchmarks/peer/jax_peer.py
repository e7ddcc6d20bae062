"""JAX as a peer: jit of what PyTorch computes eagerly, with inputs on the device and results waited for."""

import functools

import data
import jax
import jax.numpy as jnp
import jax_steps
import numpy
from jax import lax
from measurement import Prepared


def versions():
    return {"jax": jax.__version__}


def start(threads):
    """XLA takes as many threads as the process may use processors, which the driver has limited."""


def measured(function, *arrays):
    inputs, compiled = [jax.device_put(array) for array in arrays], jax.jit(function)

    def outputs():
        return [numpy.asarray(leaf) for leaf in jax.tree.leaves(compiled(*inputs))]

    return Prepared(lambda: compiled(*inputs), jax.block_until_ready, outputs=outputs)


def differentiated(function, upstream, *arrays):
    """The gradients along `upstream`, with what they need of the forward pass."""
    return measured(lambda dy, *inputs: jax.vjp(function, *inputs)[1](dy), upstream, *arrays)


def matmul(extents, options):
    transposed = options.get("transpose")

    def product(a, b):
        a = a.mT if transposed in ("left", "both") else a
        return a @ (b.mT if transposed in ("right", "both") else b)

    return measured(product, *data.factors(extents, options))


def convolve(x, w, rank, stride):
    padding, groups = [(w.shape[-1] // 2,) * 2] * rank, x.shape[1] // w.shape[1]
    return lax.conv_general_dilated(x, w, [stride] * rank, padding, feature_group_count=groups)


def convolution(rank, stride=1, is_depthwise=False):
    def case(extents, _):
        return measured(
            lambda x, w: convolve(x, w, rank, stride), *data.convolution(extents, rank, is_depthwise)
        )

    return case


def convolution_gradients(rank, stride=1, is_depthwise=False):
    def case(extents, _):
        x, w = data.convolution(extents, rank, is_depthwise)
        dy = data.numbers(3, *data.convolved(x, w, stride))
        return differentiated(lambda x, w: convolve(x, w, rank, stride), dy, x, w)

    return case


def attend(q, k, v):
    scores = jnp.einsum("bhtd,bhsd->bhts", q, k) / q.shape[-1] ** 0.5
    return jnp.einsum("bhts,bhsd->bhtd", jax.nn.softmax(scores, axis=-1), v)


def attention(extents, _):
    return measured(attend, *(data.numbers(seed, *extents) for seed in (1, 2, 3)))


def attention_gradients(extents, _):
    *inputs, upstream = (data.numbers(seed, *extents) for seed in (1, 2, 3, 4))
    return differentiated(attend, upstream, *inputs)


def normalize(x, gamma, beta):
    mean, variance = x.mean(1, keepdims=True), x.var(1, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + 1e-5) * gamma + beta


def layer_norm(extents, _):
    return measured(normalize, *data.layer_norm(extents))


def layer_norm_gradients(extents, _):
    return differentiated(normalize, data.numbers(4, *extents), *data.layer_norm(extents))


def elementwise(function, count):
    return lambda extents, _: measured(
        function, *(data.numbers(seed, *extents) for seed in range(1, count + 1))
    )


def chain(x, y):
    return (jnp.abs(jnp.maximum(x * y + x, y) * 0.5 - x)) * y + 1


def scatter_sum(extents, _):
    edges, columns, rows = extents
    values, places = data.numbers(1, edges, columns), data.indices(2, edges, rows)
    return measured(lambda values, places: jax.ops.segment_sum(values, places, rows), values, places)


def gather(extents, _):
    edges, columns, rows = extents
    x, places = data.numbers(1, rows, columns), data.indices(2, edges, rows)
    return measured(lambda x, places: jnp.take(x, places, axis=0), x, places)


def segment_softmax(extents, _):
    edges, columns, rows = extents

    def function(x, places):
        powers = jnp.exp(x - jax.ops.segment_max(x, places, rows)[places])
        return powers / jax.ops.segment_sum(powers, places, rows)[places]

    return measured(function, data.numbers(1, edges, columns), data.indices(2, edges, rows))


def fft(extents, _):
    return measured(jnp.fft.fft, data.numbers(1, *extents) + 1j * data.numbers(2, *extents))


def cholesky(extents, _):
    function = functools.partial(lax.linalg.cholesky, symmetrize_input=False)
    return measured(function, data.positive_definite(1, *extents))


CASES = {
    "matmul": matmul,
    "conv2d": convolution(2),
    "conv2d-gradients": convolution_gradients(2),
    "conv2d-stride2": convolution(2, stride=2),
    "conv2d-stride2-gradients": convolution_gradients(2, stride=2),
    "depthwise": convolution(2, is_depthwise=True),
    "depthwise-gradients": convolution_gradients(2, is_depthwise=True),
    "conv3d": convolution(3),
    "conv3d-gradients": convolution_gradients(3),
    "attention": attention,
    "attention-gradients": attention_gradients,
    "layer-norm": layer_norm,
    "layer-norm-gradients": layer_norm_gradients,
    "softmax-rows": elementwise(lambda x: jax.nn.softmax(x, axis=-1), 1),
    "gelu": elementwise(lambda x: jax.nn.gelu(x, approximate=True), 1),
    "chain": elementwise(chain, 2),
    "sum-rows": elementwise(lambda x: x.sum(1), 1),
    "sum-columns": elementwise(lambda x: x.sum(0), 1),
    "sum-all": elementwise(lambda x: x.sum(), 1),
    "scatter-sum": scatter_sum,
    "gather": gather,
    "segment-softmax": segment_softmax,
    "sort": elementwise(lambda x: jnp.sort(x, axis=-1), 1),
    "fft": fft,
    "cholesky": cholesky,
} | jax_steps.CASES
