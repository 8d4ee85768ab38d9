"""A bench: tokens a second of one model on this machine over slots, and an experiment's time."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.engine.context import ContextParams
from steertui.engine.demand import Demand, demand
from steertui.engine.engine import Written
from steertui.engine.process import EngineProcess
from steertui.engine.sequence import Write
from steertui.engine.sizing import Overrides, fit
from steertui.errors import EngineError
from steertui.experiment import Design
from steertui.generation import SamplingParams
from steertui.model import Model
from steertui.panel import chat_format
from steertui.run.drive import vocabulary, writes

STEPS = 32
"""New tokens of every slot in one measurement."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What one number of slots gives.

    Attributes:
        shape: the context it was measured in.
        prefill: prompt tokens a second.
        decode: new tokens a second, all slots together.
    """

    shape: ContextParams
    prefill: float
    decode: float

    def seconds(self, asked: Demand) -> float:
        """Return the time that requests take at the most: if every answer takes all it may."""
        prompts = asked.tokens if self.shape.slots == 1 else asked.nodes
        return prompts / self.prefill + asked.written / self.decode


def requests_of(design: Design, model: Model) -> list[Write]:
    """Return every request of the model in an experiment, answered or not."""
    with vocabulary(model) as llama:
        chat = chat_format(llama, model.name)
        thinking = design.experiment.thinking
        return writes(llama, [chat.write(t, thinking) for t in design.trials if t.model == model])


def bench(
    model: Model, requests: Sequence[Write], slots: Sequence[int], wish: Overrides
) -> Iterator[Pace]:
    """Yield the pace at each number of slots, on the experiment's own prompts.

    Raises EngineError where the longest prompt fits no slot.
    """
    short = [replace(r, sampling=SamplingParams(max_tokens=STEPS)) for r in requests]
    for count in slots:
        chosen = short[:count]
        if len(chosen) < count:
            raise EngineError(
                f"{count} slots: the experiment has {len(chosen)} prompts only; give a smaller --at"
            )
        with vocabulary(model) as llama:
            shape = fit(llama, model.size, demand(chosen), replace(wish, slots=count))
        with EngineProcess(model.path, shape) as engine:
            seconds, _ = _timed(engine, [_cut(r, 1) for r in chosen])
            first = engine.snapshot().prefilled
            prefill = first / seconds
            seconds, tokens = _timed(engine, chosen)
            # The prompts may still be in their slots; what was computed again is not decoding.
            again = (engine.snapshot().prefilled - first) / prefill
            yield Pace(shape, prefill, tokens / max(seconds - again, 1e-6))


def _cut(request: Write, tokens: int) -> Write:
    return replace(request, id=f"{request.id} short", sampling=SamplingParams(max_tokens=tokens))


def _timed(engine: EngineProcess, requests: Sequence[Write]) -> tuple[float, int]:
    """Return the seconds until all is answered, and the tokens written."""
    begin = time.perf_counter()
    for request in requests:
        engine.add(request)
    tokens = 0
    while not engine.is_idle:
        for event in engine.step():
            if isinstance(event, Written):
                tokens += event.generation.tokens + (event.generation.stop == "stop")
    return time.perf_counter() - begin, tokens
