"""OpenBLAS as Debian has it, as a peer: its float32 matrix product."""

import ctypes

import data
import numpy
from library import loaded
from measurement import Prepared

LIBRARY = loaded("openblas")


def versions():
    for name in ("openblas_get_config", "openblas_get_corename"):
        getattr(LIBRARY, name).restype = ctypes.c_char_p
    version = LIBRARY.openblas_get_config().decode().split()[1]
    return {"OpenBLAS": f"{version} ({LIBRARY.openblas_get_corename().decode()})"}


def start(threads):
    LIBRARY.openblas_set_num_threads(threads)


def matmul(extents, options):
    m, n, k = extents
    a, b = data.factors(extents, options)
    c = numpy.empty((m, n), dtype=numpy.float32)
    # CblasRowMajor is 101, CblasNoTrans 111 and CblasTrans 112.
    transposed = [112 if options.get("transpose") in (side, "both") else 111 for side in ("left", "right")]
    # A pointer keeps the array that it points into.
    left, right, product = ((array.ctypes.data_as(ctypes.c_void_p), array.shape[1]) for array in (a, b, c))
    operands = (101, *transposed, m, n, k, ctypes.c_float(1), *left, *right, ctypes.c_float(0), *product)

    def call():
        LIBRARY.cblas_sgemm(*operands)
        return c

    return Prepared(call, lambda _: None, outputs=lambda: [call()])


CASES = {"matmul": matmul}
