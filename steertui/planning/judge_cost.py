"""Estimated cost of judging answers, including answers that do not exist yet."""

from collections.abc import Iterable, Sequence

from steertui.core.scenario import Scenario
from steertui.core.verdict import Label
from steertui.judge.control import ControlSet
from steertui.judge.price import CHARACTERS_PER_TOKEN, estimate_tokens
from steertui.judge.server import ServerJudge
from steertui.planning.control_answers import (
    REREAD_INTERVAL,
    REREADS_PER_LABEL,
    control_answers,
)
from steertui.planning.judges import Judge, judge_case
from steertui.store import UnjudgedAnswer

REPLY_TOKENS = 60
"""Estimated tokens of a judge's reply: a label and a sentence."""

ANSWER_TOKENS = 850
"""Estimated tokens of an answer. The paper's published 4B answers have 3,385 characters on
average."""


def expected_answer(key: str, scenario: Scenario, user: str, max_tokens: int) -> UnjudgedAnswer:
    """Return a placeholder of an expected length for an answer that does not exist yet.

    Args:
        key: the trial's key.
        scenario: the trial's scenario.
        user: the user message, suffix included.
        max_tokens: limit of new tokens, which caps the expected length.
    """
    length = int(CHARACTERS_PER_TOKEN * min(max_tokens, ANSWER_TOKENS))
    return UnjudgedAnswer(
        key=key,
        category=scenario.category,
        context=scenario.system,
        task=scenario.task,
        user=user,
        answer="x" * length,
    )


def estimate_cost(judge: Judge, answers: Iterable[UnjudgedAnswer]) -> float | None:
    """Return the estimated cost of judging the answers, in US dollars.

    Prompt tokens are estimated from the number of characters, and nothing is assumed to be cached.
    Returns None for a local judge and for one without a known price.
    """
    if not isinstance(judge, ServerJudge) or judge.price is None:
        return None
    prompts = (
        judge.messages(judge_case(answer, hide_suffix=judge.hide_suffix)) for answer in answers
    )
    costs = (judge.price.of(int(estimate_tokens(*p)), 0, REPLY_TOKENS) for p in prompts)
    return sum(costs) * judge.discount


def control_cost(
    judge: Judge,
    control_set: ControlSet | None,
    pending: Sequence[UnjudgedAnswer],
    answers: int,
) -> float | None:
    """Return the estimated cost of the control set before `answers` answers, in US dollars.

    `pending` are read for the first time; more are read again between the answers. Returns None
    as `estimate_cost`.
    """
    if control_set is None:
        return 0.0
    everything = control_answers(control_set)
    total = estimate_cost(judge, everything)
    if total is None:
        return None
    rereadings = 2 + answers // REREAD_INTERVAL if answers else 0
    rereads = rereadings * REREADS_PER_LABEL * len(Label)
    return total * (len(pending) + rereads) / len(everything)


def add_costs(one: float | None, two: float | None) -> float | None:
    """Return the sum of two costs; None if one of them is unknown."""
    return None if one is None or two is None else one + two
