"""Sweep of a vector's layers and strengths on a local model."""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass

from steertui.core.generation import SamplingParams
from steertui.core.interventions import Intervention, InterventionKind
from steertui.core.model import Model
from steertui.engine.events import Completed, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.engine.workload import workload_of
from steertui.errors import EngineError, ExperimentError
from steertui.planning.sweep_texts import MIN_SCENARIOS, SweepPrompts, sweep_prompts
from steertui.steering.applied import Applier
from steertui.steering.library import StoredVector
from steertui.steering.sweep import (
    AnswerScores,
    Limits,
    SweepCell,
    SweepRow,
    repetition,
    sweep_row,
)

Tokens = list[int]
Key = tuple[int, int]
"""Index of a steering, 0 for none, and of a validation scenario."""


@dataclass(frozen=True, slots=True)
class SweepSettings:
    """Settings of a sweep.

    Attributes:
        cells: layers and strengths.
        limits: of coherence.
        conditions_file: file with the two conditions of the contrast, as in an experiment.
        template: chat template, as in an experiment.
        scenarios: maximum number of validation scenarios; 0 for all.
        max_tokens: new tokens per answer.
    """

    cells: tuple[SweepCell, ...]
    limits: Limits
    conditions_file: str = ""
    template: str = ""
    scenarios: int = 8
    max_tokens: int = 48


@dataclass(frozen=True, slots=True)
class SweepProgress:
    """`done` of `total` requests are complete."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SweepResult:
    """Result of a sweep.

    Attributes:
        scenarios: names of the validation scenarios.
        rows: one per cell, in order.
    """

    scenarios: tuple[str, ...]
    rows: tuple[SweepRow, ...]


def sweep(
    model: Model, stored: StoredVector, settings: SweepSettings, overrides: Overrides
) -> Generator[SweepProgress, None, SweepResult]:
    """Measure every cell on the validation scenarios; yield progress.

    Raises ModelError for layers that the vector lacks, ExperimentError for too few scenarios, and
    EngineError if a request fails.
    """
    applier = Applier(model, lambda _: stored.raw, {})
    kind = InterventionKind.VECTOR
    lists = [(Intervention(kind, stored.sha256, c.strength, c.layers),) for c in settings.cells]
    applied = applier.steerings(lists)
    steerings = [0, *(applied.indices[interventions] for interventions in lists)]
    with vocabulary(model.path) as gguf:
        prompts = sweep_prompts(
            model,
            stored.vector,
            gguf,
            conditions_file=settings.conditions_file,
            template=settings.template,
            limit=settings.scenarios,
        )
        work = _Sweep(gguf, prompts, steerings, settings.max_tokens)
        workload = workload_of(work.generate_requests, settings.max_tokens, share=gguf.can_truncate)
        shapes = choose_shapes(gguf, model.size, workload, overrides)
        with Pool(model.path, shapes, applied.steerings) as pool:
            for _ in pool.load():
                yield SweepProgress(0, work.total)
            yield from work.run(pool)
    names, scores = work.scores()
    rows = (
        sweep_row(cell, steered, scores[0], settings.limits)
        for cell, steered in zip(settings.cells, scores[1:], strict=True)
    )
    return SweepResult(names, tuple(rows))


class _Sweep:
    """Requests of one sweep and what came of them."""

    def __init__(
        self, gguf: Vocabulary, prompts: SweepPrompts, steerings: Sequence[int], max_tokens: int
    ) -> None:
        self._gguf = gguf
        self._prompts = prompts
        self._steerings = steerings
        self._sampling = SamplingParams(max_tokens=max_tokens)
        self._answers: dict[str, Tokens] = {}
        self._logliks: dict[str, tuple[float, ...]] = {}
        self._keys: list[Key] = [
            (cell, scenario)
            for cell in range(len(steerings))
            for scenario in range(len(prompts.plain))
        ]
        self.generate_requests = [
            *(
                self._generate(f"answer {key}", prompts.plain[key[1]], steerings[key[0]])
                for key in self._keys
            ),
            *(self._generate(f"positive {i}", each) for i, each in enumerate(prompts.positive)),
            *(self._generate(f"negative {i}", each) for i, each in enumerate(prompts.negative)),
        ]
        self.total = len(self.generate_requests) + 2 * len(self._keys)

    def _generate(self, name: str, prompt: Tokens, steering: int = 0) -> GenerateRequest:
        return GenerateRequest(name, prompt, self._sampling, steering=steering)

    def run(self, pool: Pool) -> Generator[SweepProgress, None, None]:
        """Generate all answers, then score them."""
        texts: dict[str, str] = {}
        for event in self._finished(pool, self.generate_requests):
            if isinstance(event, Completed):
                texts[event.id] = event.generation.text
            yield SweepProgress(len(texts), self.total)
        tokens = self._gguf.tokenize(list(texts.values()), special=False)
        self._answers = dict(zip(texts, tokens, strict=True))
        done = len(texts)
        for event in self._finished(pool, list(self._score_requests())):
            if isinstance(event, Scored):
                self._logliks[event.id] = event.logliks
            done += 1
            yield SweepProgress(done, self.total)

    def _finished(
        self, pool: Pool, requests: Sequence[GenerateRequest | ScoreRequest]
    ) -> Iterable[Completed | Scored]:
        for request in requests:
            pool.add(request)
        while not pool.is_idle:
            for event in pool.step():
                if isinstance(event, RequestFailed):
                    raise EngineError(f"{event.id}: {event.reason}")
                if isinstance(event, Completed | Scored):
                    yield event

    def _score_requests(self) -> Iterable[ScoreRequest]:
        for cell, scenario in self._keys:
            prompt = self._prompts.plain[scenario]
            if self._is_usable(scenario):
                yield ScoreRequest(
                    id=f"preference {(cell, scenario)}",
                    prompt=prompt,
                    continuations=self._contrast(scenario),
                    full_vocabulary=True,
                    steering=self._steerings[cell],
                )
            answer = self._answers[f"answer {(cell, scenario)}"]
            if answer:
                yield ScoreRequest(
                    f"loglik {(cell, scenario)}", prompt, (answer,), full_vocabulary=True
                )

    def _contrast(self, scenario: int) -> tuple[Tokens, Tokens]:
        return self._answers[f"positive {scenario}"], self._answers[f"negative {scenario}"]

    def _is_usable(self, scenario: int) -> bool:
        """Whether neither of the two answers is a beginning of the other one."""
        positive, negative = self._contrast(scenario)
        shorter = min(len(positive), len(negative))
        return positive[:shorter] != negative[:shorter]

    def scores(self) -> tuple[tuple[str, ...], list[list[AnswerScores]]]:
        """Return the scenarios whose two answers differ, and their scores by steering.

        Raises ExperimentError if they are fewer than `MIN_SCENARIOS`.
        """
        usable = [i for i in range(len(self._prompts.scenarios)) if self._is_usable(i)]
        if len(usable) < MIN_SCENARIOS:
            raise ExperimentError(
                f"the model's answers to both texts differ in {len(usable)} validation scenarios, "
                f"and a sweep needs {MIN_SCENARIOS}; give more scenarios or maximum tokens"
            )
        names = tuple(self._prompts.scenarios[i] for i in usable)
        cells = range(len(self._steerings))
        return names, [[self._scores(cell, i) for i in usable] for cell in cells]

    def _scores(self, cell: int, scenario: int) -> AnswerScores:
        key = (cell, scenario)
        logliks = zip(self._logliks[f"preference {key}"], self._contrast(scenario), strict=True)
        positive, negative = (loglik / len(tokens) for loglik, tokens in logliks)
        answer = self._answers[f"answer {key}"]
        (loglik,) = self._logliks[f"loglik {key}"] if answer else (float("nan"),)
        return AnswerScores(
            preference=positive - negative,
            loglik=loglik / max(len(answer), 1),
            repetition=repetition(answer),
        )
