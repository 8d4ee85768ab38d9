"""llama-server as a peer of the engine: the packaged one, or a program."""

import json
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from benchmarks.methods import PENALTY_TOKENS, Job, Measurement
from steertui.engine.context import ContextParams
from steertui.engine.sequence import GenerateRequest


def _server_params(job: Job, shape: ContextParams) -> Any:
    """Return llama-server's parameters for the same model and context."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(job.model)
    params.n_ctx = shape.slots * shape.slot_tokens
    params.n_parallel = shape.slots
    params.n_batch = shape.batch
    params.n_ubatch = shape.batch
    params.cpuparams.n_threads = job.threads
    params.cpuparams_batch.n_threads = job.threads
    params.n_gpu_layers = -1
    params.kv_unified = job.is_unified
    params.flash_attn_type = xllamacpp.llama_flash_attn_type(1 if job.flash else 0)
    params.cont_batching = True
    params.warmup = False
    params.verbosity = 0
    return params


def server(job: Job, slots: int) -> Measurement:
    """Measure llama-server: prompts as tokens, one client thread per slot, prompt cache on."""
    prompts = job.prompts()
    shape = job.shape(slots, max(map(len, prompts)))
    bodies = [_body(request) for request in job.requests(prompts)]
    start_server = _packaged_server if job.program is None else _server_program
    with start_server(job, shape) as address:
        start = job.clock()
        with ThreadPoolExecutor(slots) as clients:
            tokens = sum(clients.map(partial(_post, address), bodies))
        return Measurement(job.clock() - start, tokens)


@contextmanager
def _packaged_server(job: Job, shape: ContextParams) -> Iterator[str]:
    """Run the server of xllamacpp in this process; yield its address."""
    import xllamacpp

    yield xllamacpp.Server(_server_params(job, shape)).listening_address


@contextmanager
def _server_program(job: Job, shape: ContextParams) -> Iterator[str]:
    """Run llama-server with the same model and context; yield its address.

    CPU time of another process is not measured, so that `job.threads` must not be 1.
    """
    assert job.threads > 1
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    values = {
        "--model": job.model,
        "--port": port,
        "--ctx-size": shape.slots * shape.slot_tokens,
        "--parallel": shape.slots,
        "--batch-size": shape.batch,
        "--ubatch-size": shape.batch,
        "--threads": job.threads,
        "--threads-http": shape.slots,
        "--n-gpu-layers": 999,
        "--flash-attn": "on" if job.flash else "off",
    }
    flags = ["--no-warmup", "--kv-unified" if job.is_unified else "--no-kv-unified"]
    command = [str(job.program), *flags, *(str(part) for pair in values.items() for part in pair)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(address, process)
            yield address
        finally:
            process.terminate()


def _wait_until_healthy(address: str, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        if process.poll() is not None:
            raise RuntimeError(f"{process.args}: ended with code {process.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{process.args}: not ready after two minutes")


def _body(request: GenerateRequest) -> dict[str, object]:
    """Return the body of a request to llama-server with the same sampling."""
    sampling = request.sampling
    return {
        "prompt": request.prompt,
        "n_predict": sampling.max_tokens,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p,
        "repeat_penalty": sampling.repetition_penalty,
        "repeat_last_n": PENALTY_TOKENS,
        "seed": request.seed,
        "ignore_eos": request.ignore_end,
        "cache_prompt": True,
    }


def _post(address: str, body: dict[str, object]) -> int:
    request = urllib.request.Request(
        f"{address}/completion", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=600) as reply:
        return int(json.load(reply)["tokens_predicted"])
