"""A local judge at work: the labels' likelihoods of every answer it has not read."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from steertui.core.generation import SamplingParams
from steertui.core.verdict import Label, Verdict
from steertui.engine.events import Completed, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.sizing import Overrides, fit
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.engine.workload import workload_of
from steertui.judge.label_order import effect, is_finite
from steertui.judge.local import AS_LISTED, LABEL_TEXTS, LocalJudge, read_reason, reason_prompt
from steertui.planning.judges import case_of, chat_format
from steertui.run.engine_loop import run_until_idle
from steertui.run.events import (
    EngineProgress,
    Event,
    Judged,
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
)
from steertui.run.label_orders import LabelOrderPlan, Question
from steertui.store import Store, UnjudgedAnswer

REASON = SamplingParams(max_tokens=80)

CHUNK = 256
"""Prompts that are written at a time."""

SPARE = 8
"""Tokens by which a prompt may be longer in another turn: lines are cut a little otherwise."""


def run_local_judge(
    store: Store,
    judge: LocalJudge,
    waiting: Sequence[UnjudgedAnswer],
    wish: Overrides,
    *,
    reasons: bool,
) -> Iterator[Event]:
    """Judge the waiting answers; every reading and verdict is stored before its event."""
    with vocabulary(judge.model.path) as gguf:
        after = REASON.max_tokens if reasons else 0
        asked = _Asked(judge, gguf, waiting, after)
        for key, reason in asked.too_long.items():
            yield _fail(store, judge, key, reason)
        if not asked.first:
            return
        plan = LabelOrderPlan(judge.order, [*asked.first], store.readings(judge.id))
        need = workload_of([*asked.first.values()], after + SPARE, share=gguf.rewinds)
        shapes = fit(gguf, judge.model.size, need, wish)
        with Pool(judge.model.path, shapes) as engine:
            for _ in engine.load():
                yield ModelLoading(judge.name)
            yield ModelLoaded("judge", judge.name, shapes, len(asked.first))
            yield from _Scoring(store, judge, asked, plan, engine, reasons).work()
    found = effect(store.readings(judge.id).values()) if judge.order != AS_LISTED else None
    if found:
        yield LabelOrdersMeasured(judge.name, found)


class _Scoring:
    """One sitting of a judge: asks what the plan says, and decides each answer once it can."""

    def __init__(
        self,
        store: Store,
        judge: LocalJudge,
        asked: "_Asked",
        plan: LabelOrderPlan,
        engine: Pool,
        reasons: bool,
    ) -> None:
        self._store, self._judge, self._asked = store, judge, asked
        self._plan, self._engine, self._reasons = plan, engine, reasons
        self._unreasoned: dict[str, Verdict] = {}
        self._seconds: dict[str, float] = {}
        self._over: set[str] = set()

    def work(self) -> Iterator[Event]:
        """Read in every turn what is to be read so, then the rest."""
        for keys, questions in self._plan.stages():
            for key in keys:  # a kill may have come between the last reading and the verdict
                yield from self._decide(key)
            for event in run_until_idle(self._engine, "judge", self._asked.requests(questions)):
                if isinstance(event, Scored):
                    yield from self._scored(event)
                elif isinstance(event, Completed):
                    verdict = self._unreasoned.pop(event.id)
                    reason = read_reason(event.generation.text)
                    yield self._keep(event.id, replace(verdict, reason=reason))
                elif isinstance(event, RequestFailed):
                    yield from self._failed(event)
                elif isinstance(event, EngineProgress):
                    yield replace(event, done=len(self._over), total=len(self._asked.first))
                else:
                    yield event

    def _scored(self, event: Scored) -> Iterator[Event]:
        key, turn = Question.parse(event.id)
        self._seconds[key] = self._seconds.get(key, 0.0) + event.seconds
        if key in self._over:
            return
        if not is_finite(event.logliks):
            yield self._keep(key, self._no_label("the labels' likelihoods are not finite"))
            return
        self._store.add_reading(self._judge.id, key, turn, event.logliks)
        self._plan.note(key, turn, event.logliks)
        yield from self._decide(key)

    def _decide(self, key: str) -> Iterator[Event]:
        """Give the verdict of an answer that all was read for, or ask for its reason first."""
        found = self._plan.ready(key)
        if not found:
            return
        verdict = self._judge.verdict(*found, self._seconds.get(key, 0.0))
        if self._reasons and verdict.label:
            self._unreasoned[key] = verdict
            self._engine.add(self._asked.reason(key, verdict.label))
        else:
            yield self._keep(key, verdict)

    def _failed(self, event: RequestFailed) -> Iterator[Event]:
        key, _ = Question.parse(event.id)
        if key in self._unreasoned:  # the label stands, only its reason was lost
            yield self._keep(key, self._unreasoned.pop(key))
        elif key not in self._over:
            yield self._keep(key, self._no_label(event.reason))

    def _no_label(self, failure: str) -> Verdict:
        return Verdict(self._judge.id, None, failure=failure)

    def _keep(self, key: str, verdict: Verdict) -> Judged:
        self._over.add(key)
        self._store.add_verdict(key, verdict)
        return Judged(key, verdict)


class _Asked:
    """What a local judge is asked about the waiting answers: a Score each, or why not."""

    def __init__(
        self, judge: LocalJudge, gguf: Vocabulary, waiting: Sequence[UnjudgedAnswer], after: int
    ) -> None:
        self._judge, self._gguf = judge, gguf
        self._chat = chat_format(gguf, judge.model.name)
        self._labels = tuple(gguf.tokenize(LABEL_TEXTS, special=False))
        self._answers = {u.key: u for u in waiting}
        first = self._written([Question(key) for key in self._answers])
        self.first = dict(zip(self._answers, first, strict=True))
        self.too_long: dict[str, str] = {}
        most = gguf.context_trained - max(map(len, self._labels)) - SPARE - after
        for key, question in self.first.items():
            if len(question.prompt) > most:
                self.too_long[key] = (
                    f"rubric, task and answer are {len(question.prompt)} tokens, and of the "
                    f"{gguf.context_trained} that {judge.model.name} was made for {most} are free"
                )
        self.first = {k: q for k, q in self.first.items() if k not in self.too_long}

    def requests(self, questions: Sequence[Question]) -> list[ScoreRequest]:
        """Return the requests for the labels' likelihoods, the rubric's labels turned."""
        turned = [question for question in questions if question.turn]
        written = dict(zip(turned, self._written(turned), strict=True))
        return [written.get(question) or self.first[question.key] for question in questions]

    def _written(self, questions: Sequence[Question]) -> list[ScoreRequest]:
        found: list[ScoreRequest] = []
        for start in range(0, len(questions), CHUNK):  # the texts are long; their tokens stay
            part = questions[start : start + CHUNK]
            tokens = self._gguf.tokenize(self._prompts(part))
            pairs = zip(part, tokens, strict=True)
            found += [
                ScoreRequest(str(question), prompt, self._labels) for question, prompt in pairs
            ]
        return found

    def _prompts(self, questions: Sequence[Question]) -> list[str]:
        is_blind = self._judge.blind
        cases = [case_of(self._answers[question.key], blind=is_blind) for question in questions]
        return self._judge.prompts(self._chat, cases, [question.turn for question in questions])

    def reason(self, key: str, label: Label) -> GenerateRequest:
        """Return the request for the reason of a label that was decided."""
        (prompt,) = self._prompts([Question(key)])
        (tokens,) = self._gguf.tokenize([reason_prompt(prompt, label)])
        return GenerateRequest(key, tokens, REASON)


def _fail(store: Store, judge: LocalJudge, key: str, reason: str) -> Judged:
    verdict = Verdict(judge.id, None, failure=reason)
    store.add_verdict(key, verdict)
    return Judged(key, verdict)
