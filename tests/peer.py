"""llama.cpp's own server, as xllamacpp packages it: a real server of someone else's making."""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from steertui.model import demo_path

SERVER = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel, params.cpuparams.n_threads = 8192, int(sys.argv[3]), 2
params.warmup, params.model_alias = False, {"demo"}
if sys.argv[4]:
    name = "LLAMA_FLASH_ATTN_TYPE_" + sys.argv[4]
    params.flash_attn_type = getattr(xllamacpp.llama_flash_attn_type, name)
server = xllamacpp.Server(params)
print("ADDRESS", server.listening_address, flush=True)
sys.stdin.read()
"""

needs_peer = pytest.mark.skipif(
    not importlib.util.find_spec("xllamacpp"),
    reason="xllamacpp, which packages llama.cpp's server, is not installed",
)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(
    model: Path | None = None, *, port: int = 0, slots: int = 4, flash: str = ""
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve the demo model as "demo"; give the API's address and the process."""
    given = [str(model or demo_path()), str(port or free_port()), str(slots), flash]
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, *given],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        assert process.stdout
        lines = (line for line in process.stdout if line.startswith("ADDRESS"))
        found = next(lines, "")
        assert found
        try:
            yield f"{found.split()[1]}/v1", process
        finally:
            process.kill()
