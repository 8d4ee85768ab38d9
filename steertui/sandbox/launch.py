"""Starting a child process of this program: scrubbed environment, one inherited pipe."""

import os
import re
import subprocess
import sys
from multiprocessing.connection import Connection
from typing import IO

NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "TEMP",
        "TMP",
        "SYSTEMROOT",
        "WINDIR",
        "LD_LIBRARY_PATH",
        "XDG_CACHE_HOME",
        "XDG_RUNTIME_DIR",
    }
)
PREFIXES = (
    "LC_",
    "DYLD_",
    "PYTHON",
    "CUDA_",
    "NVIDIA_",
    "GGML_",
    "LLAMA_",
    "OMP_",
    "GOMP_",
    "KMP_",
    "OPENBLAS_",
    "MKL_",
    "BLIS_",
    "VECLIB_",
    "HIP_",
    "HSA_",
    "ROCR_",
    "ROCM_",
    "GPU_",
    "VK_",
    "MESA_",
    "MTL_",
    "METAL_",
    "SYCL_",
    "ONEAPI_",
    "ZE_",
)
"""Environment variables that a child inherits, besides `NAMES`: what Python, llama.cpp and the
drivers of accelerators read."""

_SECRET = re.compile("KEY|TOKEN|SECRET|PASSW|CREDENTIAL|AUTH", re.IGNORECASE)

_PROGRAM = "import sys; sys.path[:] = sys.argv[2:]; from {} import {} as m; m(int(sys.argv[1]))"
_REPORTING = (
    "import sys; sys.path[:] = sys.argv[2:]; from steertui.sandbox.child import run; "
    "run('{}', '{}', int(sys.argv[1]))"
)


def scrubbed_environment() -> dict[str, str]:
    """Return the environment for a child: allowed names, without those that look secret.

    `NVIDIA_API_KEY`, for example, has an allowed prefix and is left out.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if (name.upper() in NAMES or name.upper().startswith(PREFIXES)) and not _SECRET.search(name)
    }


def launch(
    entry: str,
    pipe: Connection,
    *,
    output: int | IO[bytes] = subprocess.DEVNULL,
    settings: dict[str, str] | None = None,
    reports_failure: bool = False,
) -> "subprocess.Popen[bytes]":
    """Start `entry` ("module:function") in a new interpreter and return the process.

    The function receives the file descriptor of `pipe`, which the caller closes afterwards.
    `output` takes stdout and stderr; `settings` are further environment variables. If
    `reports_failure`, an exception of the function or of its import is sent through the pipe.
    """
    module, _, function = entry.partition(":")
    descriptor = pipe.fileno()
    program = (_REPORTING if reports_failure else _PROGRAM).format(module, function)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", program, str(descriptor), *sys.path],
        env=scrubbed_environment() | (settings or {}),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        pass_fds=[descriptor],
    )
