"""Main function of an engine process: load the model, run steps, send messages."""

import queue
import signal
import threading
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from steertui.engine.context import ContextParams
from steertui.engine.engine import Engine, Finished
from steertui.engine.events import Snapshot
from steertui.engine.llama import LlamaModel
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.steering import UNSTEERED, Steering, require_vector_effect
from steertui.engine.stopwatch import Phase
from steertui.errors import SteertuiError
from steertui.sandbox.limits import forbid_core_dumps

MESSAGE_INTERVAL = 0.05
"""Seconds between two messages while no request is complete."""

Inbox = queue.SimpleQueue[list[GenerateRequest | ScoreRequest] | Exception]
"""Requests from the parent, or the error that ended reading."""


@dataclass(frozen=True, slots=True)
class EngineJob:
    """First message to the child.

    Attributes:
        model: the model file.
        shape: context parameters.
        steerings: those that requests refer to; the first is unsteered.
    """

    model: Path
    shape: ContextParams
    steerings: tuple[Steering, ...] = (UNSTEERED,)


@dataclass(frozen=True, slots=True)
class EngineMessage:
    """Message of the child.

    Attributes:
        finished: requests that ended since the last message.
        snapshot: state of the engine.
    """

    finished: tuple[Finished, ...]
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class ChildFailed:
    """Last message of a child that cannot continue, with an error for the user."""

    error: SteertuiError


def main(descriptor: int) -> None:
    """Serve the parent at the other end of a pipe until it closes its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    forbid_core_dumps()
    pipe = Connection(descriptor)
    try:
        job: EngineJob = pipe.recv()
        inbox = _start_reader(pipe)
        model = LlamaModel(job.model, gpu_layers=job.shape.gpu_layers, devices=job.shape.devices)
        if any(steering.vector for steering in job.steerings):
            require_vector_effect(model)
        engine = Engine(model, job.shape, job.steerings)
        pipe.send(EngineMessage((), engine.snapshot()))
        _work(pipe, engine, inbox)
    except SteertuiError as exc:
        pipe.send(ChildFailed(exc))
    except (EOFError, OSError):
        return  # the parent has ended


def _start_reader(pipe: Connection) -> Inbox:
    """Return a queue that a thread fills with the messages of the parent.

    If parent and child both blocked on a full pipe, neither could continue; hence a thread. It
    starts before the model takes its memory: `Thread.start` waits for ever for a thread that finds
    no memory (CPython issue 140746).
    """
    inbox: Inbox = queue.SimpleQueue()
    threading.Thread(target=_read, args=(pipe, inbox), daemon=True).start()
    return inbox


def _work(pipe: Connection, engine: Engine, inbox: Inbox) -> None:
    finished: list[Finished] = []
    last_message = time.monotonic()
    while True:
        while engine.is_idle or not inbox.empty():
            received = inbox.get()
            if isinstance(received, EOFError | OSError):
                return  # the parent has ended
            if isinstance(received, Exception):
                raise received
            for request in received:
                engine.add(request)
        finished += engine.step()
        if finished or time.monotonic() - last_message > MESSAGE_INTERVAL:
            engine.stopwatch.enter(Phase.MESSAGES)
            pipe.send(EngineMessage(tuple(finished), engine.snapshot()))
            engine.stopwatch.enter(Phase.WAITING)
            finished = []
            last_message = time.monotonic()


def _read(pipe: Connection, inbox: Inbox) -> None:
    try:
        while True:
            inbox.put(pipe.recv())
    except Exception as exc:  # the main thread waits for the inbox, and must not wait for ever
        inbox.put(exc)
