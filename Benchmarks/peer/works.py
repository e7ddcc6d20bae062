"""What is measured, and what is hoped for: the works, each with its peers, and the table of targets."""

import dataclasses

import step_data

# What each kind of work measures of Hekla and its peers, and in which unit.
UNITS = {"case": "ms", "step": "ms", "memory": "MB", "launch": "us", "start": "s"}
RERECORDING = "re-recording"


@dataclasses.dataclass(frozen=True)
class Work:
    """Something that Hekla does on a device, and who does the same.

    `case` and `shape` are those of gpubench; `peers` are modules of this folder without their `_peer`, or
    RERECORDING, which is Hekla without the replay of recorded commands.
    """

    device: str
    case: str
    shape: str = ""
    peers: tuple[str, ...] = ()
    kind: str = "case"
    transpose: str = ""
    batch: int = 1

    @property
    def name(self):
        words = [self.device, {"case": "", "start": ""}.get(self.kind, self.kind), self.case, self.shape]
        words += [
            f"{self.transpose} transposed" if self.transpose else "",
            f"x {self.batch}" if self.batch > 1 else "",
        ]
        return " ".join(filter(None, words))

    @property
    def unit(self):
        return UNITS[self.kind]

    @property
    def request(self):
        """The work as a worker is asked for it."""
        options = {"transpose": self.transpose} if self.transpose else {}
        options |= {"batch": self.batch} if self.batch > 1 else {}
        case = self.case if self.kind == "case" else f"{self.kind}-{self.case}"
        return {
            "case": case,
            "extents": [int(extent) for extent in self.shape.split("x") if extent],
            "options": options,
        }


EAGER, JAX, ONNX = ("torch",), ("torch", "jax"), ("torch", "jax", "onnxruntime")
BLAS = (*ONNX, "onednn", "openblas")
CONVOLUTIONS = [
    ("conv2d", "32x64x56x56x64x3"),  # of ResNet's stages
    ("conv2d", "32x128x28x28x128x3"),
    ("conv2d", "32x256x14x14x256x3"),
    ("conv2d", "16x64x56x56x256x1"),
    ("conv2d-stride2", "8x3x224x224x64x7"),
    ("conv2d", "64x1x28x28x32x3"),  # of a network for MNIST
    ("conv2d", "64x32x28x28x64x3"),
    ("depthwise", "32x128x28x28x3"),
    ("conv3d", "4x16x16x32x32x16x3"),
]
ATTENTIONS = ["16x8x64x64", "4x8x512x32", "4x8x512x64", "4x8x512x128", "1x8x2048x64"]

WORKS = [
    *(Work("cpu", "matmul", "x".join([size] * 3), BLAS) for size in ("256", "512", "1024", "2048")),
    Work("cpu", "matmul", "8192x64x512", BLAS),
    Work("cpu", "matmul", "1024x1024x1024", BLAS, transpose="left"),
    Work("cpu", "matmul", "1024x1024x1024", BLAS, transpose="right"),
    Work("cpu", "matmul", "256x256x256", ONNX, batch=16),
    *(
        work
        for case, shape in CONVOLUTIONS
        for work in (Work("cpu", case, shape, ONNX), Work("cpu", f"{case}-gradients", shape, JAX))
    ),
    *(
        work
        for shape in ATTENTIONS
        for work in (Work("cpu", "attention", shape, ONNX), Work("cpu", "attention-gradients", shape, JAX))
    ),
    Work("cpu", "layer-norm", "4096x1024", ONNX),
    Work("cpu", "layer-norm-gradients", "4096x1024", JAX),
    Work("cpu", "softmax-rows", "4096x4096", ONNX),
    Work("cpu", "gelu", "16777216", ONNX),
    Work("cpu", "chain", "16777216", ONNX),
    Work("cpu", "sum-rows", "4096x4096", ONNX),
    Work("cpu", "sum-columns", "4096x4096", ONNX),
    Work("cpu", "sum-all", "4096x4096", ONNX),
    Work("cpu", "gather", "200000x64x20000", JAX),
    Work("cpu", "scatter-sum", "200000x64x20000", JAX),
    Work("cpu", "segment-softmax", "200000x8x20000", JAX),
    Work("cpu", "sort", "1024x1024", JAX),
    Work("cpu", "fft", "256x4096", JAX),
    Work("cpu", "cholesky", "64x128", JAX),
    Work("cpu", "cholesky", "1x1024", JAX),
    *(Work("cpu", name, peers=("torch", "torch_compile", "jax"), kind="step") for name in step_data.NAMES),
    *(Work("cpu", name, peers=EAGER, kind="memory") for name in step_data.NAMES),
    Work("vulkan:0", "matmul", "512x512x512", ("ncnn",)),
    Work("vulkan:0", "matmul", "1024x1024x1024", ("ncnn",)),
    Work("vulkan:0", "conv2d", "1x64x56x56x64x3", ("ncnn",)),
    Work("opencl:0", "matmul", "1024x1024x1024", ("tinygrad", "clblast")),
    Work("vulkan:0", "lenet", peers=(RERECORDING,), kind="launch"),
    Work("opencl:0", "lenet", peers=(RERECORDING,), kind="launch"),
    Work("cpu", "lottery-ticket", kind="start"),
    Work("vulkan:0", "lottery-ticket", kind="start"),
]

# How the numbers of a target's works become one, and on which side of the threshold it is to be.
RATIO, SHARE, VALUE = "peer / Hekla", "Hekla / peer", "Hekla"


@dataclasses.dataclass(frozen=True)
class Target:
    """A claim about some works.

    RATIO: the geometric mean over the works of the best peer's time as a multiple of Hekla's, at least
    `threshold`. SHARE: the largest over the works of what Hekla takes as a part of what the best peer takes,
    at most `threshold`. VALUE: the largest over the works of what Hekla takes, at most `threshold`.
    """

    name: str
    works: tuple[str, ...]
    peers: tuple[str, ...]
    statistic: str
    threshold: float


def named(kind, device="cpu"):
    return tuple(work.name for work in WORKS if work.kind == kind and work.device == device)


TARGETS = [
    Target("matrix product", ("cpu matmul 2048x2048x2048",), ("torch", "jax", "onednn"), RATIO, 0.95),
    Target("convolution", ("cpu conv2d 32x64x56x56x64x3",), EAGER, RATIO, 1.0),
    Target("convolution, both gradients", ("cpu conv2d-gradients 32x64x56x56x64x3",), EAGER, RATIO, 1.0),
    Target("attention", ("cpu attention 4x8x512x64",), EAGER, RATIO, 1.0),
    Target("attention and gradients", ("cpu attention-gradients 4x8x512x64",), EAGER, RATIO, 1.0),
    Target("scatter sum", ("cpu scatter-sum 200000x64x20000",), EAGER, RATIO, 2.0),
    Target("gelu", ("cpu gelu 16777216",), EAGER, RATIO, 1.5),
    Target("chain of 8 operations", ("cpu chain 16777216",), EAGER, RATIO, 3.0),
    Target("chain of 8 operations, compiled", ("cpu chain 16777216",), ("jax",), RATIO, 1.0),
    Target("training steps", named("step"), EAGER, RATIO, 2.0),
    Target("training steps, compiled", named("step"), ("torch_compile", "jax"), RATIO, 1.2),
    Target("peak memory of training", named("memory"), EAGER, SHARE, 0.7),
    Target("lavapipe matrix product 512", ("vulkan:0 matmul 512x512x512",), ("ncnn",), RATIO, 5.0),
    Target("lavapipe matrix product 1024", ("vulkan:0 matmul 1024x1024x1024",), ("ncnn",), RATIO, 5.0),
    Target("lavapipe convolution", ("vulkan:0 conv2d 1x64x56x56x64x3",), ("ncnn",), RATIO, 1.5),
    Target("PoCL matrix product", ("opencl:0 matmul 1024x1024x1024",), ("tinygrad", "clblast"), RATIO, 2.0),
    Target("Vulkan host time of a launch", named("launch", "vulkan:0"), (RERECORDING,), SHARE, 0.2),
    Target("Vulkan host time, us", named("launch", "vulkan:0"), (), VALUE, 2.0),
    Target("OpenCL host time of a launch", named("launch", "opencl:0"), (RERECORDING,), SHARE, 0.2),
    Target("OpenCL host time, us", named("launch", "opencl:0"), (), VALUE, 2.0),
    Target("cold start, s", named("start"), (), VALUE, 1.0),
    Target("lavapipe cold start, s", named("start", "vulkan:0"), (), VALUE, 3.0),
]
