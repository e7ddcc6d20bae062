"""What the peers need: Python packages, in an environment of their own, libraries, drivers and variables."""

import importlib.util
import os
import pathlib
import shutil
import subprocess
import sys
import venv

import library
from measurement import Unavailable

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".build" / "peers"
PYTHON = FOLDER / "venv" / "bin" / "python"
VULKAN_DRIVERS = pathlib.Path("/usr/share/vulkan/icd.d")
# Where OpenMP, the libraries of matrix products, lavapipe and PoCL look for their number of threads.
THREAD_COUNTS = (
    "HEKLA_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "LP_NUM_THREADS",
    "POCL_MAX_PTHREAD_COUNT", "POCL_CPU_MAX_CU_COUNT",
)
PACKAGES = {
    "torch": ["torch", "numpy"],
    "torch_compile": ["torch", "numpy"],
    "jax": ["jax", "numpy"],
    "onnxruntime": ["onnxruntime", "onnx", "numpy"],
    "onednn": ["numpy"],
    "openblas": ["numpy"],
    "clblast": ["numpy"],
    "ncnn": ["ncnn", "numpy"],
    "tinygrad": ["tinygrad", "numpy"],
}
LIBRARIES = {
    "onednn": ["dnnl"],
    "openblas": ["openblas"],
    "clblast": ["clblast", "opencl"],
    "tinygrad": ["opencl"],
}


def say(text):
    print(f"peers: {text}", file=sys.stderr, flush=True)


def environment(threads):
    """The variables of every process that measures: `threads` threads, software drivers, caches of our own.

    JAX has no variable: it goes by the processors that a process may use, which the driver limits as well.
    """
    foreign = ("OPENBLAS_", "HEKLA_", "OMP_", "MKL_", "KMP_", "JAX_", "XLA_", "TORCH", "POCL_")
    kept = ("HEKLA_CACHE",)
    result = {key: value for key, value in os.environ.items() if key in kept or not key.startswith(foreign)}
    result |= dict.fromkeys(THREAD_COUNTS, str(threads))
    result |= {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "2"}
    # Compiled in the worker itself, which is stopped while others are timed.
    result["TORCHINDUCTOR_COMPILE_THREADS"] = "1"
    result["XDG_CACHE_HOME"] = str(FOLDER / "cache")
    result["TORCHINDUCTOR_CACHE_DIR"] = str(FOLDER / "cache" / "inductor")
    # A machine with a GPU has other drivers as well. Where these are missing, no device is found.
    lavapipe = next(iter(sorted(VULKAN_DRIVERS.glob("lvp_icd*.json"))), VULKAN_DRIVERS / "lvp_icd.json")
    result["VK_ICD_FILENAMES"] = result["VK_DRIVER_FILES"] = str(lavapipe)
    result["OCL_ICD_VENDORS"] = "/etc/OpenCL/vendors/pocl.icd"
    return result


def prepare(peers):
    """Installs what `peers` need and lacks; returns, for those that cannot be had, the reason."""
    reasons = {}
    for peer in peers:
        try:
            install_libraries(LIBRARIES.get(peer, []))
            install_packages(peer)
            if peer == "torch_compile" and not any(map(shutil.which, ("g++", "clang++", "c++"))):
                raise Unavailable("torch.compile needs a C++ compiler")
        except Unavailable as error:
            reasons[peer] = str(error)
    return reasons


def install_packages(peer):
    """Installs the Python packages of `peer` where it is not noted that they are there."""
    ready = FOLDER / "venv" / f"ready-{peer}"
    if ready.exists():
        return
    packages = PACKAGES[peer]
    if not PYTHON.exists():
        if importlib.util.find_spec("ensurepip") is None:
            raise Unavailable("Python's venv is not installed; Debian's package is python3-venv")
        say("making an environment in .build/peers")
        venv.create(FOLDER / "venv", with_pip=True, clear=True)
    say(f"installing {' '.join(packages)} from PyPI into .build/peers")
    command = [
        PYTHON,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--retries",
        "1",
        *packages,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        text = (done.stderr.strip() or f"exit status {done.returncode}").splitlines()[-1]
        raise Unavailable(f"pip cannot install {' '.join(packages)}: {text}")
    ready.touch()


def install_libraries(names):
    """Installs libraries of the system with apt, as root; HEKLA_SETUP=skip makes it install nothing."""
    for name in names:
        try:
            library.loaded(name)
        except Unavailable:
            package = library.PACKAGES[name][0]
            allowed = (
                os.geteuid() == 0 and os.environ.get("HEKLA_SETUP") != "skip" and shutil.which("apt-get")
            )
            if not allowed:
                raise
            say(f"installing {package} with apt-get")
            variables = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
            apt = ["apt-get", "-y", "-q", "-o", "DPkg::Lock::Timeout=300"]
            # One broken source among many fails the update, but seldom the installation.
            subprocess.run([*apt, "update"], env=variables, stdout=sys.stderr)
            command = [*apt, "install", "--no-install-recommends", package]
            if subprocess.run(command, env=variables, stdout=sys.stderr).returncode != 0:
                raise Unavailable(f"apt-get cannot install {package}") from None
            library.loaded(name)
