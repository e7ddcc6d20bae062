"""ncnn's Vulkan backend as a peer: products and convolutions in networks of a few equal layers.

ncnn's networks take their input from the processor's memory and return their output there. As Hekla is timed
with its inputs on the device and nothing read back, a network has LAYERS equal layers, one feeding the next,
and the time is divided by their number, so that the transfers weigh little. Weights are on the device,
packed, before the timing. Half precision is off; packing and Winograd's convolutions are on, as they are by
default.
"""

import pathlib
import tempfile

import data
import ncnn
import numpy
from measurement import Prepared, required

LAYERS = 4


def versions():
    return {"ncnn": ncnn.__version__}


def start(threads):
    """The driver has set how many threads lavapipe takes."""
    required(ncnn.get_gpu_count() > 0, "ncnn finds no Vulkan device")


def network(layer, inputs, weights):
    """The function that runs LAYERS of `layer`, a type and its parameters, from a NumPy array to another."""
    kind, parameters = layer
    lines = ["7767517", f"{LAYERS + 1} {LAYERS + 1}", "Input input 0 1 blob0"]
    lines += [f"{kind} layer{i} 1 1 blob{i} blob{i + 1} {parameters}" for i in range(LAYERS)]
    net = ncnn.Net()
    net.opt.use_vulkan_compute = True
    for option in vars(ncnn.Option):
        if option.startswith(("use_fp16_", "use_bf16_", "use_int8_")):
            setattr(net.opt, option, False)
    net.set_vulkan_device(0)
    required(net.load_param_mem("\n".join(lines) + "\n") == 0, f"ncnn refuses the layer {kind}")
    with tempfile.TemporaryDirectory() as folder:
        # Four zero bytes before an array say that it is float32.
        path = pathlib.Path(folder, "weights.bin")
        path.write_bytes((bytes(4) + weights.tobytes()) * LAYERS)
        required(net.load_model(str(path)) == 0, f"ncnn refuses the weights of {kind}")
    x = ncnn.Mat(inputs)

    def call():
        extractor = net.create_extractor()
        required(extractor.input("blob0", x) == 0, "ncnn refuses the input")
        status, y = extractor.extract(f"blob{LAYERS}")
        required(status == 0, f"ncnn cannot run {kind}")
        return y

    return call


def matmul(extents, options):
    m, n, k = extents
    required(n == k, "a chain of products needs square factors")
    a, b = data.numbers(1, m, k), data.numbers(2, k, n) / numpy.float32(k**0.5)
    call = network(("Gemm", f"4=0 5=1 6=1 8={n} 9={k} 10=-1"), a, b)
    expected = a
    for _ in range(LAYERS):
        expected = expected @ b
    return checked(call, expected)


def conv2d(extents, options):
    batch, c, h, w, filters, size = extents
    required(
        batch == 1 and c == filters, "a chain of convolutions needs one image and as many filters as channels"
    )
    x, weights = (
        data.numbers(1, c, h, w),
        data.numbers(2, filters, c, size, size) / numpy.float32(c**0.5 * size),
    )
    call = network(("Convolution", f"0={filters} 1={size} 4={size // 2} 6={weights.size}"), x, weights)
    expected = x
    for _ in range(LAYERS):
        padded = numpy.pad(expected, ((0, 0), *[(size // 2, size // 2)] * 2))
        windows = numpy.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(1, 2))
        expected = numpy.einsum("chwij,fcij->fhw", windows, weights, optimize=True)
    return checked(call, expected)


def checked(call, expected):
    """A prepared measurement of a network that returns what it should."""
    error = numpy.abs(numpy.array(call()) - expected).max() / numpy.abs(expected).max()
    required(error < 1e-3, f"ncnn's result is wrong by {error:.2g} of the largest")
    return Prepared(call, lambda _: None, divisor=LAYERS)


CASES = {"matmul": matmul, "conv2d": conv2d}
