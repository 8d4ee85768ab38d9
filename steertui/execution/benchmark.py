"""Throughput of a model on this machine by number of slots, and the time an experiment takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from math import ceil, inf

from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.engine.context import ContextParams
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import Workload, workload_of
from steertui.errors import EngineError
from steertui.execution.engine_loop import generate_requests
from steertui.planning.chat_formats import chat_format
from steertui.planning.resolve import Design
from steertui.units import quantity

DECODE_STEPS = 32
"""New tokens per slot in one measurement."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Measured throughput with one number of slots.

    Attributes:
        shapes: context parameters of each engine.
        prefill: prompt tokens per second, all engines together.
        step: seconds of a decode step with all slots occupied.
        single_step: seconds of a decode step with one slot occupied.
    """

    shapes: tuple[ContextParams, ...]
    prefill: float
    step: float
    single_step: float

    @property
    def slots(self) -> int:
        """Sequences at once, all engines together."""
        return sum(shape.slots for shape in self.shapes)

    @property
    def decode(self) -> float:
        """New tokens per second, all slots together."""
        return self.slots / self.step

    def seconds(self, workload: Workload) -> float:
        """Return the time of a workload in seconds if every answer is as long as allowed.

        Requests run in rounds of all slots; the last round may have fewer. The time is that of
        prefill plus one decode step per token and round. The step of the last round is
        interpolated between the measured steps with one slot and with all slots.
        """
        rounds, left = divmod(workload.count, self.slots)
        per_token = rounds * self.step
        if left:
            occupied = ceil(left / len(self.shapes))
            share = (occupied - 1) / max(1, self.shapes[0].slots - 1)
            per_token += self.single_step + share * (self.step - self.single_step)
        is_single = max(shape.slots for shape in self.shapes) == 1
        prefilled = workload.prompt_tokens if is_single else workload.distinct_tokens
        return prefilled / self.prefill + workload.new * per_token


def requests_of(design: Design, model: Model) -> tuple[list[GenerateRequest], Workload]:
    """Return all requests of a model in an experiment, answered or not, and their workload."""
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name, design.experiment.template)
        trials = [trial for trial in design.trials if trial.model == model]
        requests = generate_requests(gguf, chat.write(trials, design.experiment.thinking))
        return requests, workload_of(requests, share=gguf.can_truncate)


def measure(
    model: Model,
    requests: Sequence[GenerateRequest],
    workload: Workload,
    slots: Sequence[int],
    overrides: Overrides,
    *,
    timer: Callable[[], float] = time.perf_counter,
) -> Iterator[Throughput]:
    """Yield the throughput for each number of slots per engine, on the experiment's own prompts.

    0 slots measures what a run would choose.
    Decode steps are measured at the mean depth: after the mean prompt and half of an answer.
    `timer` returns a time in seconds. Raises EngineError if there are fewer prompts than slots, or
    the longest prompt fits no slot.
    """
    for count in slots:
        with vocabulary(model.path) as gguf:
            shapes = choose_shapes(gguf, model.size, workload, replace(overrides, slots=count))
        total = sum(shape.slots for shape in shapes)
        if len(requests) < total:
            raise EngineError(
                f"{total} slots: the experiment has only {quantity(len(requests), 'prompt')}; "
                "give a smaller --slots"
            )
        with Pool(model.path, shapes) as engine:
            yield _Measurement(engine, timer).run(shapes, requests[:total], workload)


class _Measurement:
    """Measurement on loaded engines."""

    def __init__(self, engine: Pool, timer: Callable[[], float]) -> None:
        self._engine = engine
        self._timer = timer

    def run(
        self,
        shapes: tuple[ContextParams, ...],
        requests: Sequence[GenerateRequest],
        workload: Workload,
    ) -> Throughput:
        """Return the throughput with as many requests as slots."""
        first = requests[0]
        self._time([_shortened(first, first.prompt[:0:-1], 2)])  # warm-up
        prefill = self._prefill_rate(requests)
        deepest = shapes[0].slot_tokens - DECODE_STEPS
        depth = min(deepest, round(workload.prompt_tokens / workload.count + workload.new / 2))
        prompt = list(islice(cycle(first.prompt), depth))
        # Afterwards the prompt is in the KV cache of every slot.
        self._time([_shortened(request, prompt, 1) for request in requests])
        decoding = [_shortened(request, prompt, DECODE_STEPS) for request in requests]
        # With one slot the prompt is prefilled again; that time is not decoding.
        rate = prefill if len(requests) == 1 else inf
        step = self._step(decoding, rate)
        return Throughput(shapes, prefill, step, self._step(decoding[:1], rate))

    def _prefill_rate(self, requests: Sequence[GenerateRequest]) -> float:
        """Return prompt tokens per second, one prompt at a time, as when slots are refilled."""
        before = self._prefilled
        seconds = sum(self._time([_shortened(r, r.prompt, 1)]) for r in requests)
        return (self._prefilled - before) / seconds

    def _step(self, requests: Sequence[GenerateRequest], prefill: float) -> float:
        """Return the seconds of a decode step, without prefill at `prefill` tokens per second."""
        before = self._prefilled
        seconds = self._time(requests)
        seconds -= (self._prefilled - before) / prefill
        return max(seconds, 1e-6) / DECODE_STEPS

    @property
    def _prefilled(self) -> int:
        return self._engine.snapshot().prefilled

    def _time(self, requests: Sequence[GenerateRequest]) -> float:
        """Return the seconds until all requests are complete."""
        start = self._timer()
        for request in requests:
            self._engine.add(request)
        while not self._engine.is_idle:
            self._engine.step()
        return self._timer() - start


def _shortened(request: GenerateRequest, prompt: list[int], tokens: int) -> GenerateRequest:
    sampling = SamplingParams(max_tokens=tokens)
    return replace(request, prompt=prompt, sampling=sampling, ignore_end=True)
