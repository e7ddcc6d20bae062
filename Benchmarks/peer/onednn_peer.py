"""oneDNN as Debian has it, as a peer: its float32 matrix product."""

import ctypes

import data
import numpy
from library import loaded
from measurement import Prepared, required

LIBRARY = loaded("dnnl")


class Version(ctypes.Structure):
    """The beginning of dnnl_version_t."""

    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


def versions():
    LIBRARY.dnnl_version.restype = ctypes.POINTER(Version)
    version = LIBRARY.dnnl_version().contents
    return {"oneDNN": f"{version.major}.{version.minor}.{version.patch}"}


def start(threads):
    """oneDNN goes by OMP_NUM_THREADS, which the driver has set."""


def matmul(extents, options):
    m, n, k = extents
    a, b = data.factors(extents, options)
    c = numpy.empty((m, n), dtype=numpy.float32)
    letters = [
        ctypes.c_char(b"T" if options.get("transpose") in (side, "both") else b"N")
        for side in ("left", "right")
    ]
    # A pointer keeps the array that it points into.
    left, right, product = (
        (array.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(array.shape[1])) for array in (a, b, c)
    )
    sizes = map(ctypes.c_int64, extents)
    operands = (*letters, *sizes, ctypes.c_float(1), *left, *right, ctypes.c_float(0), *product)

    def call():
        required(LIBRARY.dnnl_sgemm(*operands) == 0, "dnnl_sgemm fails")
        return c

    return Prepared(call, lambda _: None, outputs=lambda: [call()])


CASES = {"matmul": matmul}
