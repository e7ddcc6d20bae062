"""Products of matrices and tensors, and convolutions."""

import torch
import torch.nn.functional as F

from case import Case, real, sum_rule


def product(name, terms, inputs, body):
    return Case(name, "products", sum_rule(terms), inputs, body)


def einsum(name, equation, terms, *shapes):
    return product(name, terms, [real(*shape) for shape in shapes], lambda *x: torch.einsum(equation, *x))


def convolution(name, terms, inputs, body):
    return Case(name, "convolutions", sum_rule(terms), inputs, body)


CASES = [
    product("matmul", 41, [real(17, 41), real(41, 29)], torch.matmul),
    product("matmul-large", 300, [real(130, 300), real(300, 140)], torch.matmul),
    product("matmul-left-transposed", 41, [real(41, 17), real(41, 29)], lambda x, y: x.mT @ y),
    product("matmul-right-transposed", 41, [real(17, 41), real(29, 41)], lambda x, y: x @ y.mT),
    product("matmul-both-transposed", 41, [real(41, 17), real(29, 41)], lambda x, y: x.mT @ y.mT),
    product("matmul-row", 300, [real(1, 300), real(300, 5)], torch.matmul),
    product("matmul-column", 300, [real(5, 300), real(300, 1)], torch.matmul),
    product("bmm", 23, [real(5, 7, 23), real(5, 23, 9)], torch.bmm),
    product("bmm-broadcast", 66, [real(3, 1, 7, 22), real(2, 22, 9)], torch.matmul),
    product("bmm-shared-right", 35, [real(5, 7, 23), real(23, 9)], torch.matmul),
    product("bmm-both-transposed", 23, [real(5, 23, 7), real(5, 9, 23)], lambda x, y: x.mT @ y.mT),
    product("matrix-vector", 53, [real(4, 9, 53), real(4, 53)], lambda x, y: torch.einsum("bij,bj->bi", x, y)),
    product("outer", 29, [real(29), real(13)], torch.outer),
    product("tensordot", 28, [real(5, 4, 7), real(4, 7, 6)], lambda x, y: torch.tensordot(x, y, 2)),
    einsum("einsum-matmul", "ik,kj->ij", 23, (7, 23), (23, 9)),
    einsum("einsum-transposed", "ki,jk->ji", 23, (23, 7), (9, 23)),
    einsum("einsum-batched", "bij,bkj->bik", 23, (3, 7, 23), (3, 9, 23)),
    einsum("einsum-scores", "bqhd,bkhd->bhqk", 16, (2, 7, 3, 16), (2, 9, 3, 16)),
    einsum("einsum-trace", "ii->", 13, (13, 13)),
    einsum("einsum-diagonal", "bii->bi", 1, (3, 6, 6)),
    einsum("einsum-sum", "ijk->j", 35, (7, 4, 5)),
    einsum("einsum-outer", "i,j->ij", 13, (8,), (13,)),
    einsum("einsum-chain", "ij,jk,kl->il", 40, (5, 12), (12, 15), (15, 6)),
    einsum("einsum-bilinear", "bi,oij,bj->bo", 80, (8, 7), (5, 7, 9), (8, 9)),
    einsum("einsum-ellipsis", "...ij,...jk->...ik", 27, (3, 1, 5, 9), (2, 9, 4)),
    einsum("einsum-permute", "abc->cab", 1, (3, 4, 5)),

    convolution("conv1d", 80, [real(4, 3, 22), real(5, 3, 4)], F.conv1d),
    convolution(
        "conv1d-stride-dilation", 80, [real(2, 3, 25), real(5, 3, 4)],
        lambda x, w: F.conv1d(x, w, stride=2, padding=3, dilation=3)),
    convolution("conv1d-groups", 80, [real(4, 6, 20), real(9, 2, 3)], lambda x, w: F.conv1d(x, w, groups=3)),
    convolution("conv2d", 180, [real(2, 3, 11, 12), real(4, 3, 3, 3)], F.conv2d),
    convolution("conv2d-1x1", 154, [real(2, 6, 7, 11), real(5, 6, 1, 1)], F.conv2d),
    convolution(
        "conv2d-same", 264, [real(2, 3, 11, 12), real(4, 3, 3, 2)],
        lambda x, w: F.conv2d(x, w, padding="same")),
    convolution(
        "conv2d-stride", 100, [real(2, 3, 11, 12), real(4, 3, 3, 4)],
        lambda x, w: F.conv2d(x, w, stride=(2, 3), padding=(1, 2))),
    convolution(
        "conv2d-dilation", 200, [real(2, 3, 11, 12), real(4, 3, 3, 3)],
        lambda x, w: F.conv2d(x, w, padding=(2, 1), dilation=(2, 3))),
    convolution(
        "conv2d-groups", 160, [real(2, 4, 8, 9), real(6, 2, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=2)),
    convolution(
        "conv2d-depthwise", 160,
        [real(2, 6, 8, 9), real(6, 1, 3, 3)], lambda x, w: F.conv2d(x, w, padding=1, groups=6)),
    convolution(
        "conv2d-depthwise-multiplier", 60, [real(2, 4, 9, 8), real(8, 1, 5, 5)],
        lambda x, w: F.conv2d(x, w, stride=2, padding=2, groups=4)),
    convolution(
        "conv2d-wide-kernel", 242, [real(2, 2, 11, 11), real(3, 2, 7, 7)], lambda x, w: F.conv2d(x, w, padding=3)),
    convolution("conv3d", 150, [real(2, 2, 5, 6, 7), real(3, 2, 2, 3, 2)], F.conv3d),
    convolution(
        "conv3d-stride-groups", 120, [real(2, 4, 6, 5, 7), real(4, 2, 3, 2, 3)],
        lambda x, w: F.conv3d(x, w, stride=(2, 1, 2), padding=(1, 0, 1), groups=2)),
    convolution(
        "conv-transpose1d", 36, [real(3, 4, 12), real(4, 5, 4)], lambda x, w: F.conv_transpose1d(x, w, stride=3)),
    convolution("conv-transpose2d", 60, [real(2, 4, 5, 6), real(4, 3, 3, 3)], F.conv_transpose2d),
    convolution(
        "conv-transpose2d-stride", 60, [real(2, 4, 5, 6), real(4, 3, 3, 4)],
        lambda x, w: F.conv_transpose2d(x, w, stride=(2, 3), padding=(1, 2), output_padding=(1, 2))),
    convolution(
        "conv-transpose2d-dilation-groups", 60, [real(2, 4, 5, 6), real(4, 3, 3, 3)],
        lambda x, w: F.conv_transpose2d(x, w, stride=2, padding=1, dilation=(2, 1), groups=2)),
    convolution(
        "conv-transpose3d", 120, [real(2, 3, 3, 4, 5), real(3, 2, 3, 2, 3)],
        lambda x, w: F.conv_transpose3d(x, w, stride=(2, 1, 2), padding=(1, 0, 1))),
]
