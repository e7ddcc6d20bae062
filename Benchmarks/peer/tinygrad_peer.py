"""tinygrad's OpenCL backend as a peer: captured by TinyJit, without its search for faster kernels."""

import importlib.metadata
import os

os.environ["DEV"] = "CL"

import data
from measurement import Prepared, required
from tinygrad import Device, Tensor, TinyJit


def versions():
    return {"tinygrad": importlib.metadata.version("tinygrad")}


def start(threads):
    required(Device.DEFAULT == "CL", f"tinygrad chose {Device.DEFAULT} instead of OpenCL")


def matmul(extents, options):
    a, b = (Tensor(array).realize() for array in data.factors(extents, options))
    product = TinyJit(lambda a, b: (a @ b).realize())
    # The first two calls are captured.
    for _ in range(3):
        product(a, b)
    return Prepared(
        lambda: product(a, b), lambda _: Device["CL"].synchronize(), outputs=lambda: [product(a, b).numpy()]
    )


CASES = {"matmul": matmul}
