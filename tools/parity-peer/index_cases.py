"""Reading, adding and sorting by index; elements moved and interpolated."""

import numpy
import torch
import torch.nn.functional as F

from case import EXACT, Case, covering, levels, real, stable_rule, sum_rule, whole


def index(name, rule, inputs, body, **more):
    return Case(name, "indexing", rule, inputs, body, **more)


def found(name, inputs, body):
    """Whole numbers, without a gradient."""
    return index(name, EXACT, inputs, body, has_gradient=False)


def move(name, inputs, body, rule=EXACT):
    return Case(name, "movement", rule, inputs, body)


def resize(name, extents, old, rule=None, **options):
    rule = rule or sum_rule(64)
    return Case(
        name, "interpolation", rule, [real(*old)], lambda x: F.interpolate(x, size=extents, **options))


def reduced(mode, rows):
    def body(x, indices):
        start = torch.zeros(rows, *x.shape[1:], dtype=x.dtype)
        return start.index_reduce(0, indices, x, mode, include_self=False)
    return body


def segment_softmax(x, segments):
    result = torch.zeros_like(x)
    for segment in segments.unique():
        rows = (segments == segment).nonzero()[:, 0]
        result = result.index_copy(0, rows, x[rows].softmax(0))
    return result


def histogram(x):
    return torch.histc(x, bins=8, min=-1, max=1).to(torch.int64)


def permutation(count, extent):
    """Different indices."""
    return whole(count, high=1).then(lambda x: numpy.random.default_rng(5).permutation(extent)[:count].astype(x.dtype))


# Cubic weights are partly negative, so that absolute values say nothing about the terms.
CUBIC = stable_rule(64)

CASES = [
    index("index-select-first", sum_rule(12), [real(7, 5), whole(12, high=7)], lambda x, i: x[i]),
    index("index-select-last", sum_rule(12), [real(4, 3, 7), whole(12, high=7)], lambda x, i: x.index_select(-1, i)),
    index("index-select-matrix", sum_rule(12), [real(4, 7, 3), whole(3, 4, high=7)], lambda x, i: x[:, i]),
    index(
        "batched-gather", sum_rule(4), [real(3, 7, 5), whole(3, 4, high=7)],
        lambda x, i: torch.stack([rows[own] for rows, own in zip(x, i)])),
    index("take-along-last", sum_rule(9), [real(4, 7), whole(4, 9, high=7)], lambda x, i: x.gather(-1, i)),
    index("take-along-first", sum_rule(9), [real(7, 4, 2), whole(9, 4, 2, high=7)], lambda x, i: x.gather(0, i)),
    index(
        "scatter-add-rows", sum_rule(40), [real(40, 5), whole(40, high=7)],
        lambda x, i: torch.zeros(7, 5, dtype=x.dtype).index_add(0, i, x)),
    index(
        "index-add", sum_rule(30), [real(6, 4), real(30, 4), whole(30, high=6)], lambda x, y, i: x.index_add(0, i, y)),
    index(
        "index-copy", EXACT, [real(9, 4), real(5, 4), permutation(5, 9)], lambda x, y, i: x.index_copy(0, i, y)),
    index("scatter-reduce-mean", sum_rule(20), [real(20, 3), whole(20, high=7)], reduced("mean", 7)),
    index("scatter-reduce-maximum", EXACT, [real(20, 3), covering(20, 5)], reduced("amax", 5)),
    index("scatter-reduce-minimum", EXACT, [real(20, 3), covering(20, 5)], reduced("amin", 5)),
    index("segment-softmax", stable_rule(20), [real(20, 3, low=-5, high=5), covering(20, 5)], segment_softmax),
    index("sort-last", EXACT, [real(5, 77)], lambda x: x.sort(-1).values),
    index("sort-first-descending", EXACT, [real(77, 5)], lambda x: x.sort(0, descending=True).values),
    found("sort-int32", [whole(5, 77, low=-50, high=50)], lambda x: x.sort(-1).values),
    found("argsort-stable", [levels(5, 60, count=9)], lambda x: x.argsort(dim=-1, stable=True)),
    found(
        "argsort-descending-stable", [levels(60, 5, count=9)],
        lambda x: x.argsort(dim=0, descending=True, stable=True)),
    index("topk-values", EXACT, [real(5, 77)], lambda x: x.topk(5).values),
    index("topk-smallest-values", EXACT, [real(33, 5)], lambda x: x.topk(3, 0, largest=False).values),
    found("topk-positions", [real(5, 77)], lambda x: x.topk(5).indices),
    found(
        "searchsorted-left", [levels(3, 20, count=12).then(numpy.sort), levels(3, 15, count=12)], torch.searchsorted),
    found(
        "searchsorted-right", [levels(3, 20, count=12).then(numpy.sort), levels(3, 15, count=12)],
        lambda x, y: torch.searchsorted(x, y, right=True)),
    found("bincount", [whole(99, high=9)], lambda x: torch.bincount(x, minlength=9)),
    # Both ends, numbers outside, and the rest at the middle of sixteenths, which no rounding moves to another bin.
    found(
        "histogram",
        [levels(300, count=40, low=-20).then(lambda x: numpy.append((x + 0.5) / 16, [-1, 1]).astype("f4"))],
        histogram),
    found("one-hot", [whole(4, 5, high=6)], lambda x: F.one_hot(x, 6).to(torch.float32)),

    move("reshape-permute", [real(8, 15)], lambda x: x.reshape(4, 6, 5).permute(2, 0, 1)),
    move("broadcast", [real(3, 1)], lambda x: x.expand(4, 3, 5), sum_rule(20)),
    move("slice-steps", [real(6, 11)], lambda x: x[1:6:2, 0:10:3]),
    move("flip", [real(3, 4, 5)], lambda x: x.flip((0, 2))),
    move("roll", [real(3, 7)], lambda x: x.roll(3, 1)),
    move("roll-back", [real(5, 3)], lambda x: x.roll(-8, 0)),
    move("tile", [real(3, 4)], lambda x: x.tile(2, 3), sum_rule(6)),
    move("repeat-interleave", [real(3, 4)], lambda x: x.repeat_interleave(3, 1), sum_rule(3)),
    move("concatenate", [real(3, 4), real(3, 1), real(3, 2)], lambda *x: torch.cat(x, 1)),
    move("stack", [real(3, 4), real(3, 4)], lambda *x: torch.stack(x, 1)),
    move("split", [real(3, 7)], lambda x: x.split((2, 1, 4), 1)),
    move("pad-constant", [real(2, 3, 4)], lambda x: F.pad(x, (2, 3, 1, 0, 0, 1), value=1.5)),
    move("pad-reflect", [real(2, 3, 5, 6)], lambda x: F.pad(x, (3, 1, 2, 3), mode="reflect"), sum_rule(9)),
    move("pad-replicate", [real(2, 3, 5, 4)], lambda x: F.pad(x, (3, 6, 2, 3), mode="replicate"), sum_rule(28)),
    move("pad-circular", [real(2, 3, 5, 6)], lambda x: F.pad(x, (3, 1, 2, 4), mode="circular"), sum_rule(9)),
    move("lower-triangle", [real(2, 5, 6)], lambda x: x.tril(-1)),
    move("upper-triangle", [real(2, 5, 6)], lambda x: x.triu(2)),
    move("diagonal", [real(2, 5, 6)], lambda x: x.diagonal(1, -2, -1)),
    move("diagonal-other-axes", [real(5, 2, 6)], lambda x: x.diagonal(-1, 0, 2)),
    move("diagonal-embedded", [real(2, 5)], lambda x: torch.diag_embed(x, 2)),
    move("trace", [real(9, 9)], torch.trace, sum_rule(9)),
    move("unfold", [real(2, 16, 3)], lambda x: x.unfold(1, 4, 3), sum_rule(2)),
    move("im2col", [real(2, 3, 6, 9)], lambda x: F.unfold(x, (2, 3), (2, 1), stride=(1, 2)), sum_rule(6)),
    move("pixel-shuffle", [real(2, 12, 3, 4)], lambda x: F.pixel_shuffle(x, 2)),
    move("pixel-unshuffle", [real(2, 3, 6, 8)], lambda x: F.pixel_unshuffle(x, 2)),
    # PyTorch's older "nearest" takes the element at the cell's lower edge, not its center.
    resize("interpolate-nearest", (9, 4), (2, 3, 5, 7), mode="nearest-exact"),
    resize("interpolate-linear", (13,), (2, 3, 7), mode="linear"),
    resize("interpolate-bilinear", (9, 4), (2, 3, 5, 7), mode="bilinear"),
    resize("interpolate-bilinear-corners", (9, 4), (2, 3, 5, 7), mode="bilinear", align_corners=True),
    resize("interpolate-bicubic", (9, 4), (2, 3, 5, 7), CUBIC, mode="bicubic"),
    resize("interpolate-bicubic-corners", (9, 4), (2, 3, 5, 7), CUBIC, mode="bicubic", align_corners=True),
    resize("interpolate-trilinear", (5, 3, 7), (2, 2, 3, 5, 4), mode="trilinear"),
    resize("interpolate-trilinear-corners", (5, 3, 7), (2, 2, 3, 5, 4), mode="trilinear", align_corners=True),
]
