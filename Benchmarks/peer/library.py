"""Libraries of the system, loaded by name."""

import ctypes
import subprocess

from measurement import Unavailable

PACKAGES = {
    "dnnl": ("libdnnl-dev", ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so"]),
    "openblas": ("libopenblas-dev", ["libopenblas.so.0", "libopenblas.so"]),
    "clblast": ("libclblast-dev", ["libclblast.so.1", "libclblast.so"]),
    "opencl": ("ocl-icd-opencl-dev", ["libOpenCL.so.1", "libOpenCL.so"]),
}


def loaded(name):
    """The library that PACKAGES calls `name`."""
    package, files = PACKAGES[name]
    for file in files:
        try:
            return ctypes.CDLL(file)
        except OSError:
            continue
    raise Unavailable(f"{files[-1]} is not installed; Debian's package is {package}")


def package_version(package):
    """The version of a package of Debian."""
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}", package], capture_output=True, text=True)
    return done.stdout.strip() or "of unknown version"
