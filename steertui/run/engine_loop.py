"""A model at work: its vocabulary for a moment, an engine until its requests are done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from steertui.core.model import Model
from steertui.core.prompt import Prompt
from steertui.engine.events import EngineEvent
from steertui.engine.llama import LlamaModel
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.run.events import EngineProgress


@contextmanager
def vocabulary(model: Model) -> Iterator[LlamaModel]:
    """Give a model without its weights: to tokenise, and to read its metadata."""
    llama = LlamaModel(model.path, vocab_only=True)
    try:
        yield llama
    finally:
        llama.close()


def writes(llama: LlamaModel, prompts: Sequence[Prompt]) -> list[GenerateRequest]:
    """Return the engine's request for each prompt's answer."""
    return [
        GenerateRequest(p.key, llama.tokenize(p.text), p.trial.sampling, p.seed) for p in prompts
    ]


def run_until_idle(
    engine: Pool, stage: str, requests: Sequence[GenerateRequest | ScoreRequest]
) -> Iterator[EngineEvent | EngineProgress]:
    """Give the engine its requests and yield what it tells, until it is idle."""
    for request in requests:
        engine.add(request)
    while not engine.is_idle:
        yield from engine.step()
        # What was just finished may have been added again, for the judge's reason.
        yield EngineProgress(stage, engine, len(requests) - engine.unfinished, len(requests))
