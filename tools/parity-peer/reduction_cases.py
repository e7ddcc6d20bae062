"""Reductions, scans and pooling."""

import torch
import torch.nn.functional as F

from case import EXACT, Case, levels, real, stable_rule, sum_rule, whole


def reduction(name, rule, inputs, body, **more):
    return Case(name, "reductions", rule, inputs, body, **more)


def scan(name, rule, inputs, body):
    return Case(name, "scans", rule, inputs, body)


def pooling(name, rule, inputs, body):
    return Case(name, "pooling", rule, inputs, body)


def with_zeros(x):
    """No zero in the first row, one in the second, two in the third."""
    x[1, 2] = 0
    x[2, 1] = x[2, 3] = 0
    return x


def with_zero_rows(x):
    x[1] = 0
    return x


def recurrence(x, factors):
    rows = [x[:, 0]]
    for index in range(1, x.shape[1]):
        rows.append(factors[:, index] * rows[-1] + x[:, index])
    return torch.stack(rows, 1)


CASES = [
    reduction("sum-all", sum_rule(5 * 37 * 11), [real(5, 37, 11)], torch.sum),
    reduction("sum-last", sum_rule(501), [real(7, 501)], lambda x: x.sum(-1)),
    reduction("sum-first", sum_rule(301), [real(301, 9)], lambda x: x.sum(0)),
    reduction("sum-two-axes", sum_rule(77), [real(7, 5, 11)], lambda x: x.sum((0, 2), keepdim=True)),
    reduction(
        "sum-int32", EXACT, [whole(5, 99, low=-999, high=999)], lambda x: x.sum(1), has_gradient=False),
    reduction("mean-all", sum_rule(900), [real(30, 30)], torch.mean),
    reduction("mean-middle", sum_rule(41), [real(3, 41, 5)], lambda x: x.mean(1)),
    reduction("product", stable_rule(13), [real(9, 13, low=0.5, high=1.5)], lambda x: x.prod(1)),
    reduction("product-zeros", stable_rule(6), [real(3, 6, low=0.5, high=1.5).then(with_zeros)], lambda x: x.prod(1)),
    reduction("variance", stable_rule(70), [real(8, 70, low=2, high=5)], lambda x: x.var(-1, correction=0)),
    reduction("variance-unbiased", stable_rule(63), [real(7, 9, 4)], lambda x: x.var((0, 1), correction=1)),
    reduction("standard-deviation", stable_rule(33), [real(6, 33)], lambda x: x.std(1, correction=1)),
    reduction("log-sum-exp", stable_rule(99), [real(5, 99, low=-9, high=9)], lambda x: x.logsumexp(1)),
    reduction(
        "log-sum-exp-two-axes", stable_rule(77), [real(7, 5, 11, low=90, high=110)],
        lambda x: x.logsumexp((0, 2))),
    reduction("maximum", EXACT, [real(7, 201)], lambda x: x.amax(1)),
    reduction("maximum-all", EXACT, [real(7, 201)], torch.amax),
    # Equal extrema share the gradient: a division by their number.
    reduction("maximum-ties", sum_rule(1), [levels(6, 30, count=4)], lambda x: x.amax(1)),
    reduction("minimum", EXACT, [real(201, 7)], lambda x: x.amin(0)),
    reduction("argument-maximum", EXACT, [real(7, 201)], lambda x: x.argmax(1), has_gradient=False),
    reduction("argument-maximum-ties", EXACT, [levels(20, 40, count=4)], lambda x: x.argmax(1), has_gradient=False),
    reduction("argument-minimum", EXACT, [real(201, 7)], lambda x: x.argmin(0), has_gradient=False),
    reduction("norm-1", stable_rule(31), [real(5, 31)], lambda x: torch.linalg.vector_norm(x, 1, 1)),
    reduction("norm-2", stable_rule(31), [real(5, 31)], lambda x: torch.linalg.vector_norm(x, 2, 1)),
    reduction(
        "norm-2-zero", stable_rule(9), [real(3, 9).then(with_zero_rows)],
        lambda x: torch.linalg.vector_norm(x, 2, 1)),
    reduction("norm-3", stable_rule(31), [real(31, 5)], lambda x: torch.linalg.vector_norm(x, 3, 0)),
    reduction("norm-infinity", EXACT, [real(5, 31)], lambda x: torch.linalg.vector_norm(x, torch.inf, 1)),
    reduction("normalize", stable_rule(31), [real(5, 31)], lambda x: F.normalize(x, dim=-1)),
    reduction(
        "cosine-similarity", stable_rule(31), [real(5, 31), real(5, 31)], lambda x, y: F.cosine_similarity(x, y, -1)),
    reduction("pairwise-distances", stable_rule(12), [real(7, 5), real(12, 5)], torch.cdist),
    reduction("pairwise-distances-1", stable_rule(12), [real(7, 5), real(12, 5)], lambda x, y: torch.cdist(x, y, 1)),

    scan("cumsum-last", sum_rule(301), [real(5, 301)], lambda x: x.cumsum(-1)),
    scan("cumsum-first", sum_rule(301), [real(301, 5)], lambda x: x.cumsum(0)),
    scan("cumsum-reversed", sum_rule(43), [real(3, 43, 2)], lambda x: x.flip(1).cumsum(1).flip(1)),
    scan("cumsum-exclusive", sum_rule(43), [real(3, 43)], lambda x: F.pad(x.cumsum(1)[:, :-1], (1, 0))),
    scan("cumprod", stable_rule(29), [real(5, 29, low=0.5, high=1.5)], lambda x: x.cumprod(1)),
    scan("cumprod-zeros", stable_rule(6), [real(3, 6, low=0.5, high=1.5).then(with_zeros)], lambda x: x.cumprod(1)),
    scan("cummax", stable_rule(60), [real(5, 60)], lambda x: x.cummax(1).values),
    scan("cummin", stable_rule(60), [real(60, 5)], lambda x: x.cummin(0).values),
    scan("linear-recurrence", stable_rule(50), [real(4, 50), real(4, 50, low=0.2, high=1)], recurrence),

    pooling("max-pool1d", stable_rule(2), [real(2, 3, 15)], lambda x: F.max_pool1d(x, 3, 2)),
    pooling("max-pool2d", EXACT, [real(2, 3, 8, 7)], lambda x: F.max_pool2d(x, 2)),
    pooling("max-pool2d-overlapping", stable_rule(6), [real(2, 3, 9, 8)], lambda x: F.max_pool2d(x, 3, (2, 1), 1)),
    pooling("max-pool3d", stable_rule(2), [real(2, 2, 4, 5, 6)], lambda x: F.max_pool3d(x, 2, (2, 1, 2))),
    pooling("avg-pool1d", sum_rule(4), [real(2, 3, 16)], lambda x: F.avg_pool1d(x, 4, 3)),
    pooling("avg-pool2d", sum_rule(6), [real(2, 3, 8, 9)], lambda x: F.avg_pool2d(x, (2, 3))),
    pooling("avg-pool2d-border-counted", sum_rule(9), [real(2, 3, 9, 8)], lambda x: F.avg_pool2d(x, 3, 2, 1)),
    pooling(
        "avg-pool2d-border-ignored", sum_rule(9), [real(2, 3, 9, 8)],
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)),
    pooling("avg-pool3d", sum_rule(12), [real(2, 2, 4, 7, 6)], lambda x: F.avg_pool3d(x, (2, 3, 2), (1, 2, 2))),
    pooling("adaptive-avg-pool2d", sum_rule(16), [real(2, 3, 8, 10)], lambda x: F.adaptive_avg_pool2d(x, (3, 4))),
    pooling("adaptive-max-pool2d", stable_rule(4), [real(2, 3, 8, 10)], lambda x: F.adaptive_max_pool2d(x, (3, 4))),
    pooling("global-avg-pool", sum_rule(56), [real(2, 3, 8, 7)], lambda x: x.mean((2, 3))),
    pooling("global-max-pool", EXACT, [real(2, 3, 8, 7)], lambda x: x.amax((2, 3))),
]
