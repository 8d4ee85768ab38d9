"""Shared steps of generating and judging: engine requests of prompts, an engine run until idle."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from steertui.core.interventions import Interventions
from steertui.core.prompt import Prompt
from steertui.engine.events import Completed, EngineEvent, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import Vocabulary
from steertui.execution.control import RunControl
from steertui.execution.events import EngineProgress, RunStage
from steertui.execution.remaining_work import StageWork

SNAPSHOT_INTERVAL = 0.1
"""Seconds between two snapshots of the engine."""

MAX_FAILED_FIRST = 3
"""Requests that may fail before the first one succeeds; then the model or judge is stopped."""


def generate_requests(
    gguf: Vocabulary,
    prompts: Sequence[Prompt],
    steerings: Mapping[Interventions, int] | None = None,
) -> list[GenerateRequest]:
    """Return one request per prompt; its id is the trial's key.

    `steerings` gives the index of the engine's steering for each trial's interventions; without it
    all requests are unsteered.
    """
    tokenized = gguf.tokenize([prompt.text for prompt in prompts])
    return [
        GenerateRequest(
            prompt.key,
            tokens,
            prompt.trial.sampling,
            prompt.seed,
            steering=steerings[prompt.trial.interventions] if steerings else 0,
        )
        for prompt, tokens in zip(prompts, tokenized, strict=True)
    ]


def run_until_idle(
    engine: Pool,
    stage: RunStage,
    requests: Sequence[GenerateRequest | ScoreRequest],
    control: RunControl,
    *,
    work: StageWork,
) -> Iterator[EngineEvent | EngineProgress]:
    """Queue the requests and yield the engine's events until it is idle.

    A snapshot is taken only every `SNAPSHOT_INTERVAL` seconds, and at the end. While the control
    is paused the engine's processes are suspended, and the seconds of events leave that time out.
    `work` is that of the requests.
    """
    for request in requests:
        engine.add(request)
    due = time.monotonic() + SNAPSHOT_INTERVAL
    while not engine.is_idle:
        if control.is_paused:
            yield _progress(engine, len(requests), stage, work)
            _suspend_while_paused(engine, control)
        for event in engine.step():
            _count(work, event)
            yield _without_pauses(event, control)
        # The consumer may have queued a follow-up request: the reason for a label.
        if engine.is_idle or time.monotonic() >= due:
            due = time.monotonic() + SNAPSHOT_INTERVAL
            yield _progress(engine, len(requests), stage, work)


def _progress(engine: Pool, requests: int, stage: RunStage, work: StageWork) -> EngineProgress:
    """Return the progress of an engine with this number of requests."""
    snapshot = engine.snapshot()
    capacity = engine.capacity
    current = [slot.tokens for slot in snapshot.slots] if stage is RunStage.GENERATE else []
    left = work.left(snapshot, current, capacity.slots)
    done = requests - engine.unfinished
    return EngineProgress(stage, done, requests, snapshot, capacity, left=left)


def _count(work: StageWork, event: EngineEvent) -> None:
    match event:
        case Completed():
            work.end(event.generation.tokens)
        case RequestFailed():
            work.end(None)
        case _:
            pass


def _without_pauses(event: EngineEvent, control: RunControl) -> EngineEvent:
    """Return the event of a request that has just ended, with its seconds outside of pauses."""
    match event:
        case Completed(generation=generation):
            seconds = control.seconds_at_work(generation.seconds)
            return replace(event, generation=replace(generation, seconds=seconds))
        case Scored(seconds=seconds):
            return replace(event, seconds=control.seconds_at_work(seconds))
        case _:
            return event


def _suspend_while_paused(engine: Pool, control: RunControl) -> None:
    engine.suspend()
    try:
        control.wait_while_paused()
    finally:
        engine.resume()
