"""A bench: tokens a second of one model on this machine over slots, and an experiment's time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from math import ceil

from steertui.core.experiment import Design
from steertui.core.generation import SamplingParams
from steertui.core.model import Model
from steertui.engine.context import ContextParams
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest
from steertui.engine.sizing import Overrides, fit
from steertui.engine.vocabulary import vocabulary
from steertui.engine.workload import Workload, workload_of
from steertui.errors import EngineError
from steertui.planning.judges import chat_format
from steertui.run.engine_loop import writes

STEPS = 32
"""New tokens of every slot in one measurement."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """What one number of slots gives.

    Attributes:
        shapes: of each engine it was measured with.
        prefill: prompt tokens a second, all engines together.
        step: seconds of a step in which every slot writes a token.
        lone: seconds of a step in which one slot does.
    """

    shapes: tuple[ContextParams, ...]
    prefill: float
    step: float
    lone: float

    @property
    def slots(self) -> int:
        """Sequences at once."""
        return sum(shape.slots for shape in self.shapes)

    @property
    def decode(self) -> float:
        """New tokens a second, all slots together."""
        return self.slots / self.step

    def seconds(self, asked: Workload) -> float:
        """Return the time that requests take at the most: if every answer takes all it may.

        Prompts, then so many rounds of full slots, then one of those that are left over: a step
        of n slots costs what lies on the line between one slot's and all slots'.
        """
        alone = max(shape.slots for shape in self.shapes) == 1
        rounds, left = divmod(asked.count, self.slots)
        steps = rounds * self.step
        if left:
            part = (ceil(left / len(self.shapes)) - 1) / max(1, self.shapes[0].slots - 1)
            steps += self.lone + part * (self.step - self.lone)
        return (asked.tokens if alone else asked.nodes) / self.prefill + asked.new * steps


def requests_of(design: Design, model: Model) -> tuple[list[GenerateRequest], Workload]:
    """Return every request of the model in an experiment, answered or not, and what they need."""
    with vocabulary(model.path) as gguf:
        chat = chat_format(gguf, model.name)
        trials = [trial for trial in design.trials if trial.model == model]
        requests = writes(gguf, chat.write(trials, design.experiment.thinking))
        return requests, workload_of(requests, share=gguf.rewinds)


def bench(
    model: Model,
    requests: Sequence[GenerateRequest],
    asked: Workload,
    slots: Sequence[int],
    wish: Overrides,
) -> Iterator[Throughput]:
    """Yield the pace at each number of slots in every engine, on the experiment's own prompts.

    Steps are measured as deep as answers are on average: behind the mean prompt and half of an
    answer. Raises EngineError where the longest prompt fits no slot.
    """
    for count in slots:
        with vocabulary(model.path) as gguf:
            shapes = fit(gguf, model.size, asked, replace(wish, slots=count))
        room = sum(shape.slots for shape in shapes)
        if len(requests) < room:
            raise EngineError(
                f"{room} slots: the experiment has {len(requests)} prompts only; "
                "give a smaller --at"
            )
        with Pool(model.path, shapes) as engine:
            yield _measure(engine, shapes, requests[:room], asked)


def _measure(
    engine: Pool,
    shapes: tuple[ContextParams, ...],
    chosen: Sequence[GenerateRequest],
    asked: Workload,
) -> Throughput:
    _time(engine, [_short(chosen[0], chosen[0].prompt[:0:-1], 2)])  # the first batch warms up
    before = engine.snapshot().prefilled
    # One by one, as they come when slots refill: in a batch of few tokens each costs more.
    seconds = sum(_time(engine, [_short(r, r.prompt, 1)]) for r in chosen)
    prefill = (engine.snapshot().prefilled - before) / seconds
    deepest = shapes[0].slot_tokens - STEPS
    depth = min(deepest, round(asked.tokens / asked.count + asked.new / 2))
    prompt = list(islice(cycle(chosen[0].prompt), depth))
    deep = [_short(r, prompt, STEPS) for r in chosen]
    _time(engine, [_short(r, prompt, 1) for r in chosen])  # now it lies in every slot

    def step(requests: Sequence[GenerateRequest]) -> float:
        before = engine.snapshot().prefilled
        seconds = _time(engine, requests)
        # With one slot nothing stays; what was computed again is not writing.
        again = (engine.snapshot().prefilled - before) / prefill if len(chosen) == 1 else 0.0
        return max(seconds - again, 1e-6) / STEPS

    return Throughput(shapes, prefill, step(deep), step(deep[:1]))


def _short(request: GenerateRequest, prompt: list[int], tokens: int) -> GenerateRequest:
    sampling = SamplingParams(max_tokens=tokens)
    return replace(request, prompt=prompt, sampling=sampling, past_end=True)


def _time(engine: Pool, requests: Sequence[GenerateRequest]) -> float:
    """Return the seconds until all is answered."""
    begin = time.perf_counter()
    for request in requests:
        engine.add(request)
    while not engine.is_idle:
        engine.step()
    return time.perf_counter() - begin
