"""ONNX Runtime as a peer: forward operations as graphs of a node or a few.

Filters and factors of a layer are constants of the graph, as in a trained network, so that they are packed
before the timing. Inputs and outputs are bound to buffers that are there.
"""

import data
import onnx
import onnxruntime
from measurement import Prepared
from onnx import helper, numpy_helper

THREADS = 1


def versions():
    return {"onnxruntime": onnxruntime.__version__, "onnx": onnx.__version__}


def start(threads):
    global THREADS
    THREADS = threads


def measured(nodes, inputs, constants, shape):
    """A graph that gives `y`, of `nodes`: tuples of an operation, its inputs, its output and attributes."""
    tensor = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [
            helper.make_node(kind, operands, [output], **attributes)
            for kind, operands, output, attributes in nodes
        ],
        "work",
        [helper.make_tensor_value_info(name, tensor, array.shape) for name, array in inputs.items()],
        [helper.make_tensor_value_info("y", tensor, shape)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    binding = session.io_binding()
    # The binding refers to the arrays' memory, and does not keep them.
    kept = [onnxruntime.OrtValue.ortvalue_from_numpy(array) for array in inputs.values()]
    for name, value in zip(inputs, kept):
        binding.bind_ortvalue_input(name, value)
    result = onnxruntime.OrtValue.ortvalue_from_shape_and_type(list(shape), "float32")
    binding.bind_ortvalue_output("y", result)

    def call():
        session.run_with_iobinding(binding)
        return kept

    def outputs():
        call()
        return [result.numpy()]

    return Prepared(call, lambda _: None, outputs=outputs)


def matmul(extents, options):
    a, b = data.factors(extents, options)
    nodes, names = [], []
    # A transposition before a product becomes part of it.
    for name, side in (("a", "left"), ("b", "right")):
        is_transposed = options.get("transpose") in (side, "both")
        nodes += [("Transpose", [name], f"{name}t", {"perm": [1, 0]})] if is_transposed else []
        names.append(f"{name}t" if is_transposed else name)
    nodes.append(("MatMul", names, "y", {}))
    return measured(nodes, {"a": a, "b": b}, {}, (*a.shape[:-2], *extents[:2]))


def convolution(rank, stride=1, is_depthwise=False):
    def case(extents, _):
        x, w = data.convolution(extents, rank, is_depthwise)
        attributes = {"strides": [stride] * rank, "pads": [w.shape[-1] // 2] * (2 * rank)}
        attributes["group"] = x.shape[1] if is_depthwise else 1
        return measured(
            [("Conv", ["x", "w"], "y", attributes)], {"x": x}, {"w": w}, data.convolved(x, w, stride)
        )

    return case


def attention(extents, _):
    q, k, v = (data.numbers(seed, *extents) for seed in (1, 2, 3))
    scale = data.numpy.array(extents[-1] ** -0.5, dtype="float32")
    nodes = [
        ("Transpose", ["k"], "kt", {"perm": [0, 1, 3, 2]}),
        ("MatMul", ["q", "kt"], "products", {}),
        ("Mul", ["products", "scale"], "scores", {}),
        ("Softmax", ["scores"], "weights", {"axis": -1}),
        ("MatMul", ["weights", "v"], "y", {}),
    ]
    return measured(nodes, {"q": q, "k": k, "v": v}, {"scale": scale}, extents)


def layer_norm(extents, _):
    x, gamma, beta = data.layer_norm(extents)
    node = ("LayerNormalization", ["x", "gamma", "beta"], "y", {"axis": -1, "epsilon": 1e-5})
    return measured([node], {"x": x}, {"gamma": gamma, "beta": beta}, extents)


def single(kind, **attributes):
    return lambda extents, _: measured(
        [(kind, ["x"], "y", attributes)], {"x": data.numbers(1, *extents)}, {}, extents
    )


def chain(extents, _):
    half, one = (data.numpy.array(value, dtype="float32") for value in (0.5, 1))
    steps = [
        ("Mul", "x", "y0"),
        ("Add", 1, "x"),
        ("Max", 2, "y0"),
        ("Mul", 3, "half"),
        ("Sub", 4, "x"),
        ("Abs", 5),
        ("Mul", 6, "y0"),
        ("Add", 7, "one"),
    ]
    nodes = []
    for number, (kind, *operands) in enumerate(steps, 1):
        names = [f"t{operand}" if isinstance(operand, int) else operand for operand in operands]
        nodes.append((kind, names, "y" if number == len(steps) else f"t{number}", {}))
    inputs = {"x": data.numbers(1, *extents), "y0": data.numbers(2, *extents)}
    return measured(nodes, inputs, {"half": half, "one": one}, extents)


def total(axes, shape):
    """Sums over `axes`; `shape` is that of the result, from the extents."""

    def case(extents, _):
        constants = {"axes": data.numpy.array(axes, dtype="int64")}
        node = ("ReduceSum", ["x", "axes"], "y", {"keepdims": 0})
        return measured([node], {"x": data.numbers(1, *extents)}, constants, shape(extents))

    return case


CASES = {
    "matmul": matmul,
    "conv2d": convolution(2),
    "conv2d-stride2": convolution(2, stride=2),
    "depthwise": convolution(2, is_depthwise=True),
    "conv3d": convolution(3),
    "attention": attention,
    "layer-norm": layer_norm,
    "softmax-rows": single("Softmax", axis=-1),
    "gelu": single("Gelu", approximate="tanh"),
    "chain": chain,
    "sum-rows": total([1], lambda extents: extents[:1]),
    "sum-columns": total([0], lambda extents: extents[1:]),
    "sum-all": total([0, 1], lambda extents: ()),
}
