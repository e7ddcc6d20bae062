"""CLBlast as a peer: its float32 matrix product on the first OpenCL device."""

import ctypes

import data
import numpy
from library import loaded, package_version
from measurement import Prepared, required

OPENCL, CLBLAST = loaded("opencl"), loaded("clblast")
CL_DEVICE_TYPE_ALL, CL_MEM_READ_WRITE = 0xFFFFFFFF, 1
CL_TRUE = 1
ROW_MAJOR, AS_STORED, TRANSPOSED = 101, 111, 112


def function(name, result, *arguments):
    found = getattr(OPENCL, name)
    found.restype, found.argtypes = result, arguments
    return found


pointer, size, flags, signed = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint64, ctypes.c_int32
get_platforms = function("clGetPlatformIDs", signed, ctypes.c_uint32, pointer, pointer)
get_devices = function("clGetDeviceIDs", signed, pointer, flags, ctypes.c_uint32, pointer, pointer)
create_context = function(
    "clCreateContext", pointer, pointer, ctypes.c_uint32, pointer, pointer, pointer, pointer
)
create_queue = function("clCreateCommandQueue", pointer, pointer, pointer, flags, pointer)
create_buffer = function("clCreateBuffer", pointer, pointer, flags, size, pointer, pointer)
transfer = (pointer, pointer, ctypes.c_uint32, size, size, pointer, ctypes.c_uint32, pointer, pointer)
write_buffer = function("clEnqueueWriteBuffer", signed, *transfer)
read_buffer = function("clEnqueueReadBuffer", signed, *transfer)
finish = function("clFinish", signed, pointer)
matrix = [pointer, size, size]
CLBLAST.CLBlastSgemm.argtypes = [
    *[signed] * 3, *[size] * 3, ctypes.c_float, *matrix * 2, ctypes.c_float, *matrix, pointer, pointer,
]


def versions():
    return {"CLBlast": package_version("libclblast-dev")}


def start(threads):
    """A context and a queue on the first device of the first platform that has one."""
    global CONTEXT, QUEUE
    platforms, device, count = (pointer * 16)(), pointer(), ctypes.c_uint32()
    get_platforms(16, platforms, ctypes.byref(count))
    for platform in platforms[: count.value]:
        if get_devices(platform, CL_DEVICE_TYPE_ALL, 1, ctypes.byref(device), None) == 0:
            break
    required(device.value, "there is no OpenCL device")
    CONTEXT = create_context(None, 1, ctypes.byref(device), None, None, None)
    QUEUE = pointer(create_queue(CONTEXT, device, 0, None))
    required(CONTEXT and QUEUE.value, "the OpenCL device cannot be opened")


def buffer(array):
    """A buffer on the device with the elements of `array`."""
    made = create_buffer(CONTEXT, CL_MEM_READ_WRITE, array.nbytes, None, None)
    required(made, "the OpenCL device is out of memory")
    write_buffer(QUEUE, made, CL_TRUE, 0, array.nbytes, array.ctypes.data, 0, None, None)
    return made


def matmul(extents, options):
    m, n, k = extents
    a, b = data.factors(extents, options)
    c = numpy.zeros((m, n), dtype=numpy.float32)
    left, right, product = ((buffer(array), 0, array.shape[1]) for array in (a, b, c))
    letters = [
        TRANSPOSED if options.get("transpose") in (side, "both") else AS_STORED for side in ("left", "right")
    ]
    operands = (*letters, m, n, k, 1, *left, *right, 0, *product)

    def call():
        status = CLBLAST.CLBlastSgemm(ROW_MAJOR, *operands, ctypes.byref(QUEUE), None)
        required(status == 0, f"CLBlastSgemm returns {status}")

    def outputs():
        call()
        read_buffer(QUEUE, product[0], CL_TRUE, 0, c.nbytes, c.ctypes.data, 0, None, None)
        return [c]

    return Prepared(call, lambda _: finish(QUEUE), outputs=outputs)


CASES = {"matmul": matmul}
