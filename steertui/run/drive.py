"""A model at work: its vocabulary for a moment, an engine until its requests are done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from steertui.engine.events import News
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import Score, Write
from steertui.model import Model
from steertui.prompt import Prompt
from steertui.run.events import Stepped


@contextmanager
def vocabulary(model: Model) -> Iterator[LlamaModel]:
    """Give a model without its weights: to tokenise, and to read its metadata."""
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        yield llama
    finally:
        llama.close()


def writes(llama: LlamaModel, prompts: Sequence[Prompt]) -> list[Write]:
    """Return the engine's request for each prompt's answer."""
    return [Write(p.key, llama.tokenize(p.text), p.trial.sampling, p.seed) for p in prompts]


def drive(engine: Pool, stage: str, requests: Sequence[Write | Score]) -> Iterator[News | Stepped]:
    """Give the engine its requests and yield what it tells, until it is idle."""
    for request in requests:
        engine.add(request)
    while not engine.is_idle:
        yield from engine.step()
        # What was just finished may have been added again, for the judge's reason.
        yield Stepped(stage, engine, len(requests) - engine.unfinished, len(requests))
