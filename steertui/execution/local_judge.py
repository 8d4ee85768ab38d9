"""Local judge: label likelihoods of unjudged answers, verdicts, and reasons on request."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from steertui.analysis.judge_worth import measure_judge
from steertui.core.generation import SamplingParams
from steertui.core.verdict import Label, Verdict
from steertui.engine.events import Completed, RequestFailed, Scored
from steertui.engine.pool import Pool
from steertui.engine.sequence import GenerateRequest, ScoreRequest
from steertui.engine.sizing import Overrides, choose_shapes
from steertui.engine.vocabulary import Vocabulary, vocabulary
from steertui.engine.workload import workload_of
from steertui.execution.control import RunControl
from steertui.execution.engine_loop import MAX_FAILED_FIRST, run_until_idle
from steertui.execution.events import (
    AnswersTooLong,
    EngineProgress,
    Event,
    Judged,
    JudgeMeasured,
    JudgeStopped,
    LabelOrdersMeasured,
    ModelLoaded,
    ModelLoading,
    RunStage,
)
from steertui.execution.label_orders import LabelOrderPlan, ScoringTask
from steertui.execution.remaining_work import StageWork
from steertui.judge.label_order import is_finite, order_effect
from steertui.judge.local import LABEL_TEXTS, LocalJudge, read_reason, reason_prompt
from steertui.planning.chat_formats import chat_format
from steertui.planning.judges import judge_case
from steertui.store import Store, UnjudgedAnswer
from steertui.store.plan_queries import count_conditions

REASON_SAMPLING = SamplingParams(max_tokens=80)
"""Sampling parameters of a reason."""

PROMPTS_PER_BATCH = 256
"""Judge prompts rendered and tokenised at a time, to bound the memory of their texts."""

ROTATION_TOKENS = 8
"""Tokens by which a prompt may be longer in another rotation, since lines tokenise differently."""


def run_local_judge(
    store: Store,
    judge: LocalJudge,
    answers: Sequence[UnjudgedAnswer],
    *,
    overrides: Overrides,
    reasons: bool,
    control: RunControl,
    control_answers: Sequence[UnjudgedAnswer] = (),
) -> Iterator[Event]:
    """Judge the answers; likelihoods and verdicts are stored before their events are yielded.

    With `reasons` the judge also generates a reason for each label. It reads `control_answers`
    first, and then yields its worth instead of their verdicts.
    """
    own = {answer.key for answer in control_answers}
    with vocabulary(judge.model.path) as gguf:
        reason_tokens = REASON_SAMPLING.max_tokens if reasons else 0
        requests = JudgeRequests(judge, gguf, [*control_answers, *answers], reason_tokens)
        yield from _fail_too_long(store, judge, requests, own, context=gguf.require_context())
        if not requests.first:
            return
        workload = workload_of(
            [*requests.first.values()], reason_tokens + ROTATION_TOKENS, share=gguf.can_truncate
        )
        shapes = choose_shapes(gguf, judge.model.size, workload, overrides)
        with Pool(judge.model.path, shapes) as engine:
            for _ in engine.load():
                yield ModelLoading(judge.name)
            yield ModelLoaded(RunStage.JUDGE, judge.name, shapes, len(requests.first))
            yield from _judge_stages(
                store,
                judge,
                requests,
                own,
                engine=engine,
                slots=shapes[0].slots,
                reasons=reasons,
                control=control,
            )
    if judge.debias == "none":
        return
    measured = order_effect(store.label_logliks(judge.id).values())
    if measured:
        yield LabelOrdersMeasured(judge.name, measured)


def _fail_too_long(
    store: Store, judge: LocalJudge, requests: "JudgeRequests", own: Set[str], *, context: int
) -> Iterator[Event]:
    """Store a failure for each answer that does not fit the judge's context; `own` is control."""
    left = [key for key in requests.too_long if key not in own]
    if left:
        total = len({*requests.first} - own) + len(left)
        yield AnswersTooLong(judge.name, total, count_conditions(store, left), context)
    for key, failure in requests.too_long.items():
        verdict = Verdict(judge.id, None, failure=failure)
        store.add_verdict(key, verdict)
        if key not in own:
            yield Judged(key, verdict)


def _judge_stages(
    store: Store,
    judge: LocalJudge,
    requests: "JudgeRequests",
    own: Set[str],
    *,
    engine: Pool,
    slots: int,
    reasons: bool,
    control: RunControl,
) -> Iterator[Event]:
    """Judge the control answers `own` first, without events of their verdicts, then the others."""
    before = 0
    for is_control in (True, False):
        keys = [key for key in requests.first if (key in own) is is_control]
        if not keys:
            continue
        plan = LabelOrderPlan(judge.debias, keys, store.label_logliks(judge.id, control=is_control))
        judging = _Judging(
            store,
            judge,
            requests,
            plan,
            engine=engine,
            slots=slots,
            reasons=reasons and not is_control,
            control=control,
            before=before,
        )
        before = len(keys)
        for event in judging.run():
            if not (is_control and isinstance(event, Judged)):
                yield event
            if isinstance(event, JudgeStopped):
                return
        if is_control:
            yield from _measured(store, judge)


def _measured(store: Store, judge: LocalJudge) -> Iterator[Event]:
    worth = measure_judge(store, judge.id)
    if worth:
        yield JudgeMeasured(judge.name, worth)


class _Judging:
    """One run of a judge: scores the planned tasks, and gives each verdict as soon as possible."""

    def __init__(
        self,
        store: Store,
        judge: LocalJudge,
        requests: "JudgeRequests",
        plan: LabelOrderPlan,
        *,
        engine: Pool,
        slots: int,
        reasons: bool,
        control: RunControl,
        before: int,
    ) -> None:
        """Prepare to judge the keys of the plan, after `before` answers of this judge."""
        self._store = store
        self._judge = judge
        self._before = before
        self._requests = requests
        self._plan = plan
        self._engine = engine
        self._slots = slots
        self._reasons = reasons
        self._control = control
        self._awaiting_reason: dict[str, Verdict] = {}
        self._seconds: dict[str, float] = {}
        self._judged: set[str] = set()
        self._has_labelled = False
        self._last = ""

    def run(self) -> Iterator[Event]:
        """Score the answers in every rotation first, then the others.

        A judge that gives none of the first answers a label is stopped.
        """
        for keys, tasks in self._plan.stages():
            # An earlier run may have ended after the last score and before the verdict.
            for key in keys:
                yield from self._decide(key)
            scoring = self._requests.scoring(tasks)
            work = self._work(scoring, len(keys))
            for event in run_until_idle(
                self._engine, RunStage.JUDGE, scoring, self._control, work=work
            ):
                match event:
                    case Scored():
                        yield from self._on_scored(event)
                    case Completed():
                        yield from self._on_reason(event)
                    case RequestFailed():
                        yield from self._on_failed(event)
                    case EngineProgress():
                        yield self._progress(event, set(keys))
                    case _:
                        yield event
                allowed = min(MAX_FAILED_FIRST, len(self._requests.first))
                if not self._has_labelled and len(self._judged) >= allowed:
                    yield self._stopped()
                    return

    def _work(self, scoring: Sequence[ScoreRequest], answers: int) -> StageWork:
        """Return the work of score requests and, if asked for, of the reasons of `answers`."""
        share = self._requests.can_share
        prefill = 0
        if scoring:
            prefill = workload_of(scoring, share=share).prefill_tokens(self._slots)
        reasons = answers if self._reasons else 0
        return StageWork(prefill, reasons, REASON_SAMPLING.max_tokens, self._engine.snapshot())

    def _progress(self, event: EngineProgress, stage: set[str]) -> EngineProgress:
        """Return the progress over all answers; those after this stage cost as much each."""
        total = len(self._requests.first)
        judged = self._before + len(self._judged)
        later = total - self._before - len(self._judged | stage)
        factor = 1 + later / max(1, event.total - event.done)
        left = event.left and event.left.times(factor)
        return replace(event, done=judged, total=total, left=left)

    def _on_scored(self, event: Scored) -> Iterator[Event]:
        key, rotation = ScoringTask.parse(event.id)
        self._seconds[key] = self._seconds.get(key, 0.0) + event.seconds
        if key in self._judged:
            return
        if not is_finite(event.logliks):
            failure = "the likelihoods of the labels are not finite"
            yield self._store_verdict(key, self._failure(failure))
            return
        self._store.add_label_logliks(self._judge.id, key, rotation, event.logliks)
        self._plan.add(key, rotation, event.logliks)
        yield from self._decide(key)

    def _decide(self, key: str) -> Iterator[Event]:
        """Give the verdict if all scores are there, or request its reason first."""
        scores = self._plan.ready(key)
        if not scores:
            return
        verdict = self._judge.verdict(*scores, self._seconds.get(key, 0.0))
        if self._reasons and verdict.label:
            self._awaiting_reason[key] = verdict
            self._engine.add(self._requests.reason(key, verdict.label))
        else:
            yield self._store_verdict(key, verdict)

    def _on_reason(self, event: Completed) -> Iterator[Event]:
        verdict = self._awaiting_reason.pop(event.id)
        written = event.generation
        seconds = verdict.seconds + written.seconds
        reason = read_reason(written.text)
        yield self._store_verdict(event.id, replace(verdict, reason=reason, seconds=seconds))

    def _on_failed(self, event: RequestFailed) -> Iterator[Event]:
        key, _ = ScoringTask.parse(event.id)
        if key in self._awaiting_reason:  # the label is valid without a reason
            yield self._store_verdict(key, self._awaiting_reason.pop(key))
        elif key not in self._judged:
            yield self._store_verdict(key, self._failure(event.reason))

    def _failure(self, failure: str) -> Verdict:
        return Verdict(self._judge.id, None, failure=failure)

    def _stopped(self) -> JudgeStopped:
        reason = f"it gave none of the first {len(self._judged)} answers a label ({self._last})"
        left = len(self._requests.first) - self._before - len(self._judged)
        return JudgeStopped(self._judge.name, reason, left)

    def _store_verdict(self, key: str, verdict: Verdict) -> Judged:
        self._judged.add(key)
        self._has_labelled |= verdict.label is not None
        self._last = verdict.failure
        self._store.add_verdict(key, verdict)
        return Judged(key, verdict)


class JudgeRequests:
    """Engine requests of a local judge.

    Attributes:
        can_share: whether the model supports prefix sharing.
        first: score request in the rubric's own order, by trial key.
        too_long: failure message by trial key for answers that do not fit the judge's context.
    """

    def __init__(
        self,
        judge: LocalJudge,
        gguf: Vocabulary,
        answers: Sequence[UnjudgedAnswer],
        reason_tokens: int,
    ) -> None:
        self._judge = judge
        self._gguf = gguf
        self._chat = chat_format(gguf, judge.model.name)
        self._labels = tuple(gguf.tokenize(LABEL_TEXTS, special=False))
        self._answers = {answer.key: answer for answer in answers}
        self.can_share = gguf.can_truncate
        self.first: dict[str, ScoreRequest] = {}
        self.too_long: dict[str, str] = {}
        context = gguf.require_context()
        longest_label = max(map(len, self._labels))
        available = context - longest_label - ROTATION_TOKENS - reason_tokens
        requests = self._score_requests([ScoringTask(key) for key in self._answers])
        for key, request in zip(self._answers, requests, strict=True):
            if len(request.prompt) <= available:
                self.first[key] = request
                continue
            self.too_long[key] = (
                f"rubric, task and answer have {len(request.prompt)} tokens, but of the {context} "
                f"tokens of {judge.model.name}'s training context {available} are available"
            )

    def scoring(self, tasks: Sequence[ScoringTask]) -> list[ScoreRequest]:
        """Return the requests for the label likelihoods, each in the rotation of its task."""
        rotated = [task for task in tasks if task.rotation]
        requests = dict(zip(rotated, self._score_requests(rotated), strict=True))
        return [requests.get(task) or self.first[task.key] for task in tasks]

    def reason(self, key: str, label: Label) -> GenerateRequest:
        """Return the request for the reason of a label."""
        (prompt,) = self._prompts([ScoringTask(key)])
        (tokens,) = self._gguf.tokenize([reason_prompt(prompt, label)])
        return GenerateRequest(key, tokens, REASON_SAMPLING)

    def _score_requests(self, tasks: Sequence[ScoringTask]) -> list[ScoreRequest]:
        requests: list[ScoreRequest] = []
        for start in range(0, len(tasks), PROMPTS_PER_BATCH):
            batch = tasks[start : start + PROMPTS_PER_BATCH]
            tokenized = self._gguf.tokenize(self._prompts(batch))
            requests += [
                ScoreRequest(str(task), tokens, self._labels)
                for task, tokens in zip(batch, tokenized, strict=True)
            ]
        return requests

    def _prompts(self, tasks: Sequence[ScoringTask]) -> list[str]:
        cases = [
            judge_case(self._answers[t.key], hide_suffix=self._judge.hide_suffix) for t in tasks
        ]
        return self._judge.prompts(self._chat, cases, [task.rotation for task in tasks])
