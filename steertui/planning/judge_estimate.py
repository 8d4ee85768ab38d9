"""Estimates of judges' work: missing labels, unread control answers, the cost of both."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steertui.core.scenario import Scenario
from steertui.errors import SteertuiError
from steertui.judge.control import ControlSet
from steertui.judge.server import ServerJudge
from steertui.planning.control_answers import is_demo_judge, pending_control
from steertui.planning.judge_cost import add_costs, control_cost, estimate_cost, expected_answer
from steertui.planning.judges import Judge, describe_judge
from steertui.store import Store
from steertui.store.plan_queries import count_judged, unjudged_answers

IMPORTED_WORTH = "imported with the answers, so its worth cannot be measured"


@dataclass(frozen=True, slots=True)
class JudgeEstimate:
    """Work of one judge.

    Attributes:
        name: the judge's name, as in tables.
        unjudged: number of missing labels.
        control: number of control answers that the judge has not read.
        dollars: estimated cost of all these labels, in US dollars; None if nothing is paid or the
            price is unknown.
        is_local: whether the judge runs on this machine.
        missing_key: environment variable that must hold the API key and does not; "" for none.
        is_upper_bound: whether some labels may exist already: the judge's weights cannot be opened,
            or it is unknown which trials have an answer.
        id: the judge's id; "" if its weights cannot be opened.
        is_demo: whether it is the demo checkpoint.
        worth: what is known of its worth, in words; "" if it was not looked up.
        problem: why the judge cannot label, with a remedy; "" if it can, or has nothing to label.
        seconds_per_label: mean time per label so far; None if it is unknown or was not looked up.
    """

    name: str
    unjudged: int
    dollars: float | None = None
    is_local: bool = True
    missing_key: str = ""
    control: int = 0
    is_upper_bound: bool = False
    id: str = ""
    is_demo: bool = False
    worth: str = ""
    problem: str = ""
    seconds_per_label: float | None = None

    @property
    def labels(self) -> int:
        """Number of labels that the judge has to give."""
        return self.unjudged + self.control


def judge_estimate(
    judge: Judge, unjudged: int, dollars: float | None, *, control: int = 0
) -> JudgeEstimate:
    """Return the work of a judge: missing labels, unread control answers, the cost of both."""
    if not isinstance(judge, ServerJudge):
        return JudgeEstimate(
            judge.name, unjudged, control=control, id=judge.id, is_demo=is_demo_judge(judge)
        )
    is_key_missing = judge.is_openai and not os.environ.get(judge.key_variable, "").strip()
    return JudgeEstimate(
        name=judge.name,
        unjudged=unjudged,
        dollars=dollars,
        is_local=False,
        missing_key=judge.key_variable if is_key_missing else "",
        control=control,
        id=judge.id,
    )


@dataclass(frozen=True, slots=True)
class JudgeWork:
    """Answers that judges have to label.

    Attributes:
        store: the answers and labels so far; None for no database.
        keys: of all trials; empty if unknown.
        trials: number of trials.
        unanswered: number of trials without an answer by scenario and user message.
        max_tokens: limit of new tokens.
        control_set: read by every judge; None to leave it out.
    """

    store: Store | None
    keys: Sequence[str]
    trials: int
    unanswered: Mapping[tuple[Scenario, str], int]
    max_tokens: int
    control_set: ControlSet | None


def estimate_judge(judge: Judge | str, work: JudgeWork) -> JudgeEstimate:
    """Return the work of a judge; a name stands for one whose weights cannot be opened."""
    if isinstance(judge, str):
        return JudgeEstimate(judge, work.trials, is_upper_bound=work.store is not None)
    judged = count_judged(work.store, work.keys, judge.id) if work.store else 0
    unjudged = work.trials - judged
    pending = pending_control(work.store, work.control_set, judge)
    dollars = None
    if isinstance(judge, ServerJudge):
        control = control_cost(judge, work.control_set, pending, unjudged)
        dollars = add_costs(_judging_cost(judge, work), control)
    estimate = judge_estimate(judge, unjudged, dollars, control=len(pending))
    is_unknown = bool(work.store and work.trials and not work.keys)
    problem = _problem(judge) if estimate.labels else ""
    return replace(estimate, is_upper_bound=is_unknown, problem=problem)


def _problem(judge: Judge) -> str:
    """Return why a judge's GGUF cannot render its prompt, such as without a chat template."""
    try:
        describe_judge(judge)
    except SteertuiError as exc:
        return str(exc).removeprefix(f"{judge.name}: ")
    return ""


def _judging_cost(judge: ServerJudge, work: JudgeWork) -> float | None:
    """Return the estimated cost of judging stored and expected answers, in US dollars."""
    stored = unjudged_answers(work.store, work.keys, judge.id) if work.store else iter(())
    total = estimate_cost(judge, stored)
    if total is None:
        return None
    for (scenario, user), count in work.unanswered.items():
        answer = expected_answer("", scenario, user, work.max_tokens)
        total += count * (estimate_cost(judge, [answer]) or 0.0)
    return total
