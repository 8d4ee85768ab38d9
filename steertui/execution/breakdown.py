"""Time of each part of a run: decoding, sampling, scheduling, messages, storing."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from steertui.core.model import Model
from steertui.engine.events import Completed
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.stopwatch import Phase
from steertui.engine.vocabulary import vocabulary
from steertui.execution.benchmark import requests_of
from steertui.planning.plan import make_plan
from steertui.planning.resolve import Design
from steertui.store import Store

MAX_TOKENS = 64
"""New tokens per answer in the measurement."""

ANSWERS_PER_SLOT = 2
"""Answers per slot in the measurement, if the experiment has so many."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Time of the parts of a run.

    Attributes:
        slots: sequences at once, all engines together.
        steps: decode steps.
        tokens: new tokens.
        answers: number of answers.
        seconds: wall time of the engines' processes by phase.
        storing: seconds of the parent process for storing the answers, while the engines work.
        logits_bytes: mean bytes of logits per step, which llama.cpp copies to main memory.
        copying: seconds of a copy of this size in main memory.
    """

    slots: int
    steps: int
    tokens: int
    answers: int
    seconds: Mapping[Phase, float]
    storing: float
    logits_bytes: int
    copying: float

    @property
    def busy(self) -> float:
        """Seconds in which the engines had work."""
        return sum(seconds for phase, seconds in self.seconds.items() if phase != Phase.WAITING)


def break_down(design: Design, model: Model, slots: int, overrides: Overrides) -> Breakdown:
    """Return the time of each part of a run of the experiment's first prompts.

    The answers are sampled as the experiment says, have `MAX_TOKENS` new tokens each, and are
    stored in a temporary database.
    """
    requests, workload = requests_of(design, model)
    with vocabulary(model.path) as gguf:
        shapes = choose_shapes(gguf, model.size, workload, replace(overrides, slots=slots))
    total = sum(shape.slots for shape in shapes)
    chosen = [_shortened(request) for request in requests[: ANSWERS_PER_SLOT * total]]
    with TemporaryDirectory() as folder, Store(Path(folder) / "breakdown.db") as store:
        plan = make_plan(design, store)
        run = store.add_run(plan.id, {}, "", [])
        with Pool(model.path, shapes) as engine:
            for _ in engine.load():
                pass
            storing = _answer(engine, chosen, store, run)
            snapshot = engine.snapshot()
    logits_bytes = 4 * snapshot.logits // max(1, snapshot.steps)
    return Breakdown(
        slots=total,
        steps=snapshot.steps,
        tokens=snapshot.generated,
        answers=len(chosen),
        seconds=snapshot.seconds,
        storing=storing,
        logits_bytes=logits_bytes,
        copying=_seconds_of_copy(logits_bytes),
    )


def _shortened(request: GenerateRequest) -> GenerateRequest:
    tokens = min(MAX_TOKENS, request.sampling.max_tokens)
    sampling = replace(request.sampling, max_tokens=tokens)
    return replace(request, sampling=sampling, ignore_end=True)


def _answer(engine: Pool, requests: Sequence[GenerateRequest], store: Store, run: int) -> float:
    """Generate and store the answers; return the seconds of storing."""
    for request in requests:
        engine.add(request)
    storing = 0.0
    while not engine.is_idle:
        for event in engine.step():
            if isinstance(event, Completed):
                start = time.perf_counter()
                store.add_generation(event.id, run, event.generation)
                storing += time.perf_counter() - start
    return storing


def _seconds_of_copy(size: int) -> float:
    """Return the least seconds of five copies of `size` bytes."""
    source = np.ones(size, np.uint8)
    target = np.empty_like(source)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        np.copyto(target, source)
        times.append(time.perf_counter() - start)
    return min(times)
