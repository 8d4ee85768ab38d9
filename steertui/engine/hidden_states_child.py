"""Main function of the process that reads hidden states."""

import ctypes
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as ll
import numpy as np
from llama_cpp._ggml import libggml
from numpy.typing import NDArray

from steertui.engine.engine_child import ChildFailed
from steertui.engine.llama import LlamaModel, Tokens, clear_errors, last_error
from steertui.errors import EngineError, SteertuiError
from steertui.sandbox.limits import forbid_core_dumps

BATCH = 512
"""Maximum tokens per call of llama_decode."""

READ_BATCH = 32
"""Maximum tokens whose states are read per call: each needs its logits, too."""

PREFIX = b"l_out-"
"""Start of the name of a block's output in llama.cpp's graph; the block's number follows."""

libggml.ggml_get_name.restype = ctypes.c_char_p
libggml.ggml_get_name.argtypes = [ctypes.c_void_p]
libggml.ggml_nbytes.restype = ctypes.c_size_t
libggml.ggml_nbytes.argtypes = [ctypes.c_void_p]
libggml.ggml_backend_tensor_get.restype = None
libggml.ggml_backend_tensor_get.argtypes = [
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_size_t,
]


@dataclass(frozen=True, slots=True)
class StatesJob:
    """First message to the child.

    Attributes:
        model: GGUF file.
        context: longest request in tokens.
        threads: CPU threads.
        gpu_layers: layers on an accelerator, -1 for all.
    """

    model: Path
    context: int
    threads: int
    gpu_layers: int = -1


@dataclass(frozen=True, slots=True)
class StatesRequest:
    """A text and the positions that are read.

    Attributes:
        tokens: at least one.
        start: the states from this index to the end are averaged; the last index for one state.
        shared: first tokens that equal those of the request before it and are not decoded again;
            at most `start`.
    """

    tokens: Tokens
    start: int
    shared: int = 0


class StateReader:
    """A context that copies the output of every block; for texts one after another.

    Raises EngineError if llama.cpp cannot create the context.

    Attributes:
        handle: llama.cpp's context.
        layers: number of blocks.
        width: size of a hidden state.
    """

    def __init__(self, model: LlamaModel, job: StatesJob) -> None:
        self.layers = int(ll.llama_model_n_layer(model.handle))
        self.width = int(ll.llama_model_n_embd(model.handle))
        self._callback = ll.ggml_backend_sched_eval_callback(self._on_tensor)
        self._sums = np.zeros((self.layers, self.width))
        self._seen = np.zeros(self.layers, np.int64)
        self._can_share = model.can_truncate
        self._wanted: list[int] = []
        self._fault = ""
        params = ll.llama_context_default_params()
        params.n_ctx = job.context
        params.n_batch = BATCH
        params.n_ubatch = BATCH
        params.n_threads = job.threads
        params.n_threads_batch = job.threads
        params.no_perf = True
        params.cb_eval = self._callback
        clear_errors()
        self.handle = ll.llama_init_from_model(model.handle, params)
        if not self.handle:
            raise EngineError(
                f"llama.cpp cannot create a context of {job.context} tokens ({last_error()}); "
                "shorten the texts, or free some memory"
            )
        self._batch = ll.llama_batch_init(BATCH, 0, 1)

    def read(self, request: StatesRequest) -> NDArray[np.float32]:
        """Return the mean state of a request's positions after each block, shape (layers, width).

        Raises EngineError if the model does not name the output of its blocks.
        """
        self._sums[:] = 0.0
        self._seen[:] = 0
        length = len(request.tokens)
        at = self._keep(request.shared)
        while at < length:
            limit = BATCH if at < request.start else READ_BATCH
            end = min(length, at + limit, request.start if at < request.start else length)
            self._decode(request.tokens[at:end], at, is_read=at >= request.start)
            at = end
        count = length - request.start
        if self._fault or (self._seen != count).any():
            raise EngineError(
                "llama.cpp does not show the output of this model's blocks "
                f"({self._fault or 'not every block has one'}); use another architecture"
            )
        return (self._sums / count).astype(np.float32)

    def close(self) -> None:
        """Free the context."""
        if self.handle:
            ll.llama_batch_free(self._batch)
            ll.llama_free(self.handle)
            self.handle = None

    def _keep(self, shared: int) -> int:
        """Remove all cells but those of the shared tokens; return the number of tokens kept."""
        memory = ll.llama_get_memory(self.handle)
        if shared and self._can_share and ll.llama_memory_seq_rm(memory, 0, shared, -1):
            return shared
        ll.llama_memory_clear(memory, True)
        return 0

    def _decode(self, tokens: Tokens, position: int, *, is_read: bool) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = is_read  # the last block computes only rows with logits
        self._wanted = list(range(len(tokens))) if is_read else []
        code = ll.llama_decode(self.handle, batch)
        if code != 0:
            raise EngineError(
                f"llama_decode failed with code {code} on {len(tokens)} tokens ({last_error()}); "
                "shorten the texts, or free some memory"
            )

    def _on_tensor(self, tensor: Any, ask: bool, _data: object) -> bool:
        """Tell llama.cpp whether a node is wanted (`ask`), then copy it."""
        name = libggml.ggml_get_name(tensor) or b""
        if not self._wanted or not name.startswith(PREFIX):
            return not ask
        if not ask:
            self._copy(tensor, name)
        return True

    def _copy(self, tensor: Any, name: bytes) -> None:
        number = name.removeprefix(PREFIX)
        rows = libggml.ggml_nbytes(tensor) // (4 * self.width)
        if not number.isdigit() or int(number) >= self.layers or rows != len(self._wanted):
            self._fault = f"{name.decode(errors='replace')} has {rows} rows"
            return
        found = np.empty((rows, self.width), np.float32)
        libggml.ggml_backend_tensor_get(tensor, found.ctypes.data, 0, found.nbytes)
        self._sums[int(number)] += found.sum(axis=0, dtype=np.float64)
        self._seen[int(number)] += rows


def main(descriptor: int) -> None:
    """Serve the parent at the other end of a pipe until it closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    forbid_core_dumps()
    pipe = Connection(descriptor)
    try:
        job: StatesJob = pipe.recv()
        reader = StateReader(LlamaModel(job.model, gpu_layers=job.gpu_layers), job)
        while True:
            request: StatesRequest = pipe.recv()
            pipe.send(reader.read(request))
    except SteertuiError as exc:
        pipe.send(ChildFailed(exc))
    except (EOFError, OSError):
        return  # the parent has ended
