"""Estimated cost of judging answers, including answers that do not exist yet."""

from collections.abc import Iterable

from steertui.core.scenario import Scenario
from steertui.judge.price import CHARACTERS_PER_TOKEN, estimate_tokens
from steertui.judge.server import ServerJudge
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
