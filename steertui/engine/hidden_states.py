"""Hidden states of a model: the residual stream after each block, read in a child process."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import TracebackType
from typing import Self

import numpy as np
import psutil
from numpy.typing import NDArray

from steertui.engine.engine_child import ChildFailed
from steertui.engine.hidden_states_child import StatesJob, StatesRequest
from steertui.engine.process import ModelProcess
from steertui.errors import EngineError


class HiddenStates:
    """A child process that reads hidden states; a context manager.

    The weights may be quantised. Memory does not grow with the number of requests.
    """

    def __init__(self, job: StatesJob) -> None:
        self._model = job.model
        name = f"hidden-states-{os.getpid()}"
        self._child = ModelProcess("steertui.engine.hidden_states_child:main", job, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _value: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._child.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._child.pid

    def read(self, requests: Iterable[StatesRequest]) -> Iterator[NDArray[np.float32]]:
        """Yield the mean state at each request's positions, shape (layers, width), in order.

        Raises ModelError if the model cannot be loaded, and EngineError if llama.cpp stops or does
        not show the output of the model's blocks.
        """
        for request in requests:
            try:
                self._child.pipe.send(request)
                answer: NDArray[np.float32] | ChildFailed = self._child.pipe.recv()
            except (EOFError, OSError):
                raise self._stopped() from None
            if isinstance(answer, ChildFailed):
                raise answer.error
            yield answer

    def _stopped(self) -> EngineError:
        return EngineError(
            f"{self._model}: llama.cpp stopped while it read hidden states "
            f"({self._child.cause()}; see {self._child.log}); if memory ran out, use a smaller "
            "quantisation, otherwise get the file again"
        )


def fitted_job(job: StatesJob, requests: Iterable[StatesRequest]) -> StatesJob:
    """Return the job with a context for the longest request, and all physical cores if 0."""
    longest = max(len(request.tokens) for request in requests)
    threads = job.threads or psutil.cpu_count(logical=False) or 1
    return replace(job, context=-(-longest // 64) * 64, threads=threads)
