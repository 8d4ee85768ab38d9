"""A model at work: an engine until its requests are done."""

from collections.abc import Iterator, Sequence

from steertui.core.prompt import Prompt
from steertui.engine.events import EngineEvent
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.vocabulary import Vocabulary
from steertui.run.events import EngineProgress


def writes(gguf: Vocabulary, prompts: Sequence[Prompt]) -> list[GenerateRequest]:
    """Return the engine's request for each prompt's answer."""
    tokens = gguf.tokenize([p.text for p in prompts])
    pairs = zip(prompts, tokens, strict=True)
    return [GenerateRequest(p.key, found, p.trial.sampling, p.seed) for p, found in pairs]


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
