"""What the peers compute on: the same arrays for all of them, by number of the generator."""

import numpy


def generator(seed):
    return numpy.random.Generator(numpy.random.PCG64(seed))


def numbers(seed, *shape):
    """Numbers from -1 to 1."""
    return generator(seed).random(shape, dtype=numpy.float32) * 2 - 1


def indices(seed, count, below):
    """Random int32 indices."""
    return generator(seed).integers(0, below, count, dtype=numpy.int32)


def positive_definite(seed, batch, n):
    """Symmetric matrices whose eigenvalues are 1 and more."""
    a = numbers(seed, batch, n, n)
    return a @ a.transpose(0, 2, 1) / n + numpy.eye(n, dtype=numpy.float32)


def factors(extents, options):
    """The factors of a product M x N x K, `batch` of each, stored transposed where `transpose` says so."""
    m, n, k = extents
    left = (k, m) if options.get("transpose") in ("left", "both") else (m, k)
    right = (n, k) if options.get("transpose") in ("right", "both") else (k, n)
    batch = [options["batch"]] if "batch" in options else []
    return numbers(1, *batch, *left), numbers(2, *batch, *right)


def convolution(extents, rank, is_depthwise):
    """Images [N, C, ...] and filters [F, C, K, ...], or [C, 1, K, ...] where each channel has its own."""
    images, rest = extents[: rank + 2], extents[rank + 2 :]
    filters = (images[1], 1) if is_depthwise else (rest[0], images[1])
    return numbers(1, *images), numbers(2, *filters, *[rest[-1]] * rank)


def convolved(x, w, stride):
    """The shape of the convolution of `x` with odd windows `w`, padded by half of them."""
    return (x.shape[0], w.shape[0], *((extent - 1) // stride + 1 for extent in x.shape[2:]))


def layer_norm(extents):
    """Rows, and the factors and summands of their columns."""
    return numbers(1, *extents), numbers(2, extents[1]), numbers(3, extents[1])
