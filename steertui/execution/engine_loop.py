"""Shared steps of generating and judging: engine requests of prompts, an engine run until idle."""

import time
from collections.abc import Iterator, Sequence

from steertui.core.prompt import Prompt
from steertui.engine.events import EngineEvent
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import Vocabulary
from steertui.execution.control import RunControl
from steertui.execution.events import EngineProgress

SNAPSHOT_INTERVAL = 0.1
"""Seconds between two snapshots of the engine."""

MAX_FAILED_FIRST = 3
"""Requests that may fail before the first one succeeds; then the model or judge is stopped."""


def generate_requests(gguf: Vocabulary, prompts: Sequence[Prompt]) -> list[GenerateRequest]:
    """Return one request per prompt; its id is the trial's key."""
    tokenized = gguf.tokenize([prompt.text for prompt in prompts])
    return [
        GenerateRequest(prompt.key, tokens, prompt.trial.sampling, prompt.seed)
        for prompt, tokens in zip(prompts, tokenized, strict=True)
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
