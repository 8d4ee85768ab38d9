"""The engine's child process: loads the model, steps, and tells its parent what happened."""

import queue
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine
from steertui.engine.events import Completed, Scored, Snapshot
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.errors import SteertuiError
from steertui.sandbox.limits import forbid_core_dumps

TELL = 0.05
"""Seconds between two messages while nothing is finished."""


@dataclass(frozen=True, slots=True)
class EngineJob:
    """What a child has to load: the first message that it gets."""

    model: Path
    shape: ContextParams


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """What happened since the last message."""

    finished: tuple[Completed | Scored, ...]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """The child gives up, and why: a sentence for the user."""

    error: SteertuiError


def main(descriptor: int) -> None:
    """Be the child: read requests from the pipe, send what is finished, end with the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    forbid_core_dumps()
    pipe = Connection(descriptor)
    try:
        job: EngineJob = pipe.recv()
        model = LlamaModel(job.model, gpu_layers=job.shape.gpu_layers, devices=job.shape.devices)
        engine = Engine(model, job.shape)
        pipe.send(EngineMessage((), engine.snapshot()))
        _work(pipe, engine)
    except SteertuiError as exc:
        pipe.send(ChildFailed(exc))
    except (EOFError, OSError):
        return  # the parent is gone, and nobody waits for the rest


def _work(pipe: Connection, engine: Engine) -> None:
    inbox: queue.SimpleQueue[list[GenerateRequest | ScoreRequest] | None] = queue.SimpleQueue()
    # Read in a thread: parent and child that both wait to send would wait for ever.
    threading.Thread(target=_read, args=(pipe, inbox), daemon=True).start()
    finished: list[Completed | Scored] = []
    told = time.monotonic()
    while True:
        while engine.is_idle or not inbox.empty():
            requests = inbox.get()
            if requests is None:
                return
            for request in requests:
                engine.add(request)
        finished += engine.step()
        if finished or time.monotonic() - told > TELL:
            pipe.send(EngineMessage(tuple(finished), engine.snapshot()))
            finished, told = [], time.monotonic()


def _read(
    pipe: Connection, inbox: "queue.SimpleQueue[list[GenerateRequest | ScoreRequest] | None]"
) -> None:
    try:
        while True:
            inbox.put(pipe.recv())
    except (EOFError, OSError):
        inbox.put(None)
