"""Shared steps of generating and judging: load a vocabulary, run an engine until it is idle."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.engine.events import EngineEvent
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.run.control import RunControl
from steertui.run.events import EngineProgress

SNAPSHOT_INTERVAL = 0.1
"""Seconds between two snapshots of the engine."""


@contextmanager
def vocabulary(model: Model) -> Iterator[LlamaModel]:
    """Load a model without its weights, to tokenise and to read its metadata."""
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        yield llama
    finally:
        llama.close()


def generate_requests(llama: LlamaModel, prompts: Sequence[Prompt]) -> list[GenerateRequest]:
    """Return one request per prompt; its id is the trial's key."""
    return [
        GenerateRequest(p.key, llama.tokenize(p.text), p.trial.sampling, p.seed) for p in prompts
    ]


def run_until_idle(
    engine: Pool,
    stage: str,
    requests: Sequence[GenerateRequest | ScoreRequest],
    control: RunControl,
) -> Iterator[EngineEvent | EngineProgress]:
    """Queue the requests and yield the engine's events until it is idle.

    A snapshot is taken only every `SNAPSHOT_INTERVAL` seconds, and at the end. While the control
    is paused the engine's processes are suspended.
    """
    for request in requests:
        engine.add(request)
    due = time.monotonic() + SNAPSHOT_INTERVAL
    while not engine.is_idle:
        if control.is_paused:
            _suspend_while_paused(engine, control)
        yield from engine.step()
        # The consumer may have queued a follow-up request: the reason for a label.
        if engine.is_idle or time.monotonic() >= due:
            due = time.monotonic() + SNAPSHOT_INTERVAL
            done = len(requests) - engine.unfinished
            yield EngineProgress(stage, done, len(requests), engine.snapshot(), engine.capacity)


def _suspend_while_paused(engine: Pool, control: RunControl) -> None:
    engine.suspend()
    try:
        control.wait_while_paused()
    finally:
        engine.resume()
