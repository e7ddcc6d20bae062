"""PyTorch as a peer: eager mode as it comes, and the training steps compiled as well."""

import data
import torch
import torch.nn.functional as F
import torch_steps
from measurement import Prepared

aten = torch.ops.aten


def versions():
    return {"torch": torch.__version__}


def start(threads):
    torch.set_num_threads(threads)


def tensors(*arrays):
    return [torch.from_numpy(array) for array in arrays]


def measured(function, *arrays):
    """`function` of arrays without recorded gradients."""
    inputs = tensors(*arrays)

    def call():
        with torch.no_grad():
            return function(*inputs)

    return prepared(call)


def differentiated(function, upstream, *arrays):
    """The forward pass of `function` and the gradients of all its arrays along `upstream`."""
    inputs = [tensor.requires_grad_() for tensor in tensors(*arrays)]
    (upstream,) = tensors(upstream)
    return prepared(lambda: torch.autograd.grad(function(*inputs), inputs, upstream))


def prepared(call):
    def outputs():
        result = call()
        return [tensor.numpy() for tensor in (result if isinstance(result, tuple) else (result,))]

    return Prepared(call, lambda _: None, outputs=outputs)


def matmul(extents, options):
    a, b = data.factors(extents, options)
    transposed = options.get("transpose")

    def product(a, b):
        a = a.mT if transposed in ("left", "both") else a
        return a @ (b.mT if transposed in ("right", "both") else b)

    return measured(product, a, b)


def convolution(rank, stride=1, is_depthwise=False):
    function = {2: F.conv2d, 3: F.conv3d}[rank]

    def case(extents, _):
        x, w = data.convolution(extents, rank, is_depthwise)
        groups = x.shape[1] if is_depthwise else 1
        settings = {"stride": stride, "padding": w.shape[-1] // 2, "groups": groups}
        return measured(lambda x, w: function(x, w, **settings), x, w)

    return case


def convolution_gradients(rank, stride=1, is_depthwise=False):
    def case(extents, _):
        x, w = data.convolution(extents, rank, is_depthwise)
        dy = data.numbers(3, *data.convolved(x, w, stride))
        padding, groups = [w.shape[-1] // 2] * rank, x.shape[1] if is_depthwise else 1
        bias, wanted = None, [True, True, False]
        settings = (bias, [stride] * rank, padding, [1] * rank, False, [0] * rank, groups, wanted)
        return measured(lambda x, w, dy: aten.convolution_backward(dy, x, w, *settings)[:2], x, w, dy)

    return case


def attention(extents, _):
    return measured(F.scaled_dot_product_attention, *(data.numbers(seed, *extents) for seed in (1, 2, 3)))


def attention_gradients(extents, _):
    *inputs, upstream = (data.numbers(seed, *extents) for seed in (1, 2, 3, 4))
    return differentiated(F.scaled_dot_product_attention, upstream, *inputs)


def layer_norm(extents, _):
    x, gamma, beta = data.layer_norm(extents)
    return measured(lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta), x, gamma, beta)


def layer_norm_gradients(extents, _):
    x, gamma, beta = data.layer_norm(extents)
    function = lambda x, gamma, beta: F.layer_norm(x, gamma.shape, gamma, beta)
    return differentiated(function, data.numbers(4, *extents), x, gamma, beta)


def elementwise(function, count):
    return lambda extents, _: measured(
        function, *(data.numbers(seed, *extents) for seed in range(1, count + 1))
    )


def chain(x, y):
    return (torch.abs(torch.maximum(x * y + x, y) * 0.5 - x)) * y + 1


def scatter_sum(extents, _):
    edges, columns, rows = extents
    values, places = data.numbers(1, edges, columns), data.indices(2, edges, rows)
    return measured(
        lambda values, places: values.new_zeros(rows, columns).index_add_(0, places, values), values, places
    )


def gather(extents, _):
    edges, columns, rows = extents
    return measured(
        lambda x, places: x.index_select(0, places),
        data.numbers(1, rows, columns),
        data.indices(2, edges, rows),
    )


def segment_softmax(extents, _):
    edges, columns, rows = extents

    def function(x, places, spread):
        largest = x.new_full((rows, columns), -torch.inf).scatter_reduce_(0, spread, x, "amax")
        powers = (x - largest.index_select(0, places)).exp_()
        sums = x.new_zeros(rows, columns).index_add_(0, places, powers)
        return powers / sums.index_select(0, places)

    places = data.indices(2, edges, rows)
    spread = places[:, None].repeat(columns, axis=1).astype("int64")
    return measured(function, data.numbers(1, edges, columns), places, spread)


def fft(extents, _):
    return measured(torch.fft.fft, data.numbers(1, *extents) + 1j * data.numbers(2, *extents))


def cholesky(extents, _):
    return measured(torch.linalg.cholesky, data.positive_definite(1, *extents))


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
    "softmax-rows": elementwise(lambda x: torch.softmax(x, -1), 1),
    "gelu": elementwise(lambda x: F.gelu(x, approximate="tanh"), 1),
    "chain": elementwise(chain, 2),
    "sum-rows": elementwise(lambda x: x.sum(1), 1),
    "sum-columns": elementwise(lambda x: x.sum(0), 1),
    "sum-all": elementwise(lambda x: x.sum(), 1),
    "scatter-sum": scatter_sum,
    "gather": gather,
    "segment-softmax": segment_softmax,
    "sort": elementwise(lambda x: torch.sort(x, -1).values, 1),
    "fft": fft,
    "cholesky": cholesky,
} | torch_steps.cases(is_compiled=False)


def peak_bytes(name):
    """By how much ten steps of training raise the most memory that this process has had resident.

    What PyTorch loads for its first training of anything, some hundred megabytes of code, is there before,
    and so is the data, as for gpubench.
    """

    def resident(field):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith(field))

    weight = torch.nn.Parameter(torch.ones(1))
    for optimizer in (torch.optim.Adam([weight], fused=True), torch.optim.SGD([weight], fused=True)):
        weight.sum().backward()
        optimizer.step()
    arrays = torch_steps.tensors(name)
    before = resident("VmRSS")
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # The most so far becomes what is resident now.
    _, step = torch_steps.training(name, arrays)
    for _ in range(10):
        step()
    return resident("VmHWM") - before
