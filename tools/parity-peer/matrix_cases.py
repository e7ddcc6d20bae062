"""Fourier transforms, factorizations and solutions."""

import torch

from case import Case, matrix_rule, real, stable_rule


def fourier(name, count, inputs, body):
    return Case(name, "fourier", stable_rule(count), inputs, body)


def complexly(body):
    """`body` of complex numbers whose parts lie along the last axis."""
    return lambda x: torch.view_as_real(body(torch.view_as_complex(x)))


def matrix(name, order, inputs, body):
    return Case(name, "linear algebra", matrix_rule(order), inputs, body)


def eye(x):
    return torch.eye(x.shape[-1], dtype=x.dtype)


def positive(x):
    return x @ x.mT + x.shape[-1] * eye(x)


def symmetric(x):
    return (x + x.mT) * 0.5


def dominant(x):
    return x + 4 * eye(x)


def triangular(upper=False, transposed=False, unit=False):
    def body(x, y):
        matrix = x if unit else dominant(x)
        matrix = matrix.triu() if upper else matrix.tril()
        return torch.linalg.solve_triangular(
            matrix.mT if transposed else matrix, y, upper=upper != transposed, unitriangular=unit)
    return body


def qr(x):
    """With a diagonal of R that is not negative."""
    q, r = torch.linalg.qr(x)
    signs = r.diagonal(0, -2, -1).sign().detach()
    return q * signs.unsqueeze(-2), r * signs.unsqueeze(-1)


def eigen_function(x):
    values, vectors = torch.linalg.eigh(symmetric(x))
    return (vectors * values.tanh().unsqueeze(-2)) @ vectors.mT


def singular_function(x):
    u, values, v = torch.linalg.svd(x, full_matrices=False)
    return (u * values.tanh().unsqueeze(-2)) @ v


LENGTHS = (8, 60, 37)

CASES = [
    *(fourier(f"fft-{n}", n, [real(3, n, 2)], complexly(torch.fft.fft)) for n in LENGTHS),
    *(fourier(f"rfft-{n}", n, [real(3, n)], lambda x: torch.view_as_real(torch.fft.rfft(x))) for n in LENGTHS),
    *(fourier(
        f"irfft-{n}", n, [real(3, n // 2 + 1, 2)], lambda x, n=n: torch.fft.irfft(torch.view_as_complex(x), n))
      for n in LENGTHS),
    fourier("fft-1024", 1024, [real(2, 1024, 2)], complexly(torch.fft.fft)),
    fourier("ifft", 24, [real(3, 24, 2)], complexly(torch.fft.ifft)),
    fourier("fft-first-axis", 30, [real(30, 3, 2)], complexly(lambda x: torch.fft.fft(x, dim=0))),
    fourier("fft2", 120, [real(2, 12, 10, 2)], complexly(torch.fft.fft2)),
    fourier("ifft2", 120, [real(2, 12, 10, 2)], complexly(torch.fft.ifft2)),
    fourier("rfft-first-axis", 30, [real(30, 3)], lambda x: torch.view_as_real(torch.fft.rfft(x, dim=0))),

    matrix("cholesky", 24, [real(24, 24)], lambda x: torch.linalg.cholesky(positive(x))),
    matrix("cholesky-batched", 7, [real(3, 2, 7, 7)], lambda x: torch.linalg.cholesky(positive(x))),
    matrix("solve-positive-definite", 12, [real(12, 12), real(12, 3)], lambda x, y: torch.linalg.solve(positive(x), y)),
    matrix("inverse-positive-definite", 9, [real(2, 9, 9)], lambda x: torch.linalg.inv(positive(x))),
    matrix("logdet-positive-definite", 9, [real(4, 9, 9)], lambda x: torch.logdet(positive(x))),
    matrix("solve-triangular-lower", 12, [real(2, 12, 12), real(2, 12, 3)], triangular()),
    matrix("solve-triangular-upper", 12, [real(2, 12, 12), real(2, 12, 3)], triangular(upper=True)),
    matrix("solve-triangular-transposed", 12, [real(2, 12, 12), real(2, 12, 3)], triangular(transposed=True)),
    matrix("solve-triangular-unit", 6, [real(2, 6, 6), real(2, 6, 3)], triangular(unit=True)),
    matrix("solve", 12, [real(12, 12), real(12, 3)], lambda x, y: torch.linalg.solve(dominant(x), y)),
    matrix("solve-batched", 5, [real(3, 5, 5), real(3, 5, 2)], lambda x, y: torch.linalg.solve(dominant(x), y)),
    matrix("inverse", 9, [real(2, 9, 9)], lambda x: torch.linalg.inv(dominant(x))),
    matrix("slogdet", 8, [real(5, 8, 8)], torch.linalg.slogdet),
    matrix("det", 6, [real(5, 6, 6)], torch.linalg.det),
    matrix("qr", 9, [real(2, 9, 6)], qr),
    matrix("eigenvalues-symmetric", 10, [real(2, 10, 10)], lambda x: torch.linalg.eigvalsh(symmetric(x))),
    matrix("eigh-function", 10, [real(2, 10, 10)], eigen_function),
    matrix("singular-values", 9, [real(2, 9, 6)], torch.linalg.svdvals),
    matrix("svd-function", 9, [real(2, 9, 6)], singular_function),
]
