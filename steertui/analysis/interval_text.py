"""Intervals as text: level, limits, limits that a test has set to 0, missing intervals."""

from collections.abc import Iterable

from steertui.stats.families import FamilyTest
from steertui.stats.simultaneous import MIN_PAIRS

Limits = tuple[str, str]
"""Lower and upper limit as text."""


def level_text(level: float) -> str:
    """Return a confidence level such as "95 %" or "98.3 %"."""
    return f"{round(100 * level, 1):g} %"


def limit_texts(test: FamilyTest, sign: str = "+") -> Limits | None:
    """Return the limits such as "+17.5" and "+78.7"; None without an interval.

    A limit that the test has set (`agreeing_limits`) has a relation: "> 0" or "< 0" if the test
    excludes 0, "≤ 0" or "≥ 0" if it does not. `sign` is that of positive limits.
    """
    if test.low is None or test.high is None:
        return None
    below, above = (">", "<") if test.is_significant else ("≤", "≥")
    return _limit(test.low, below, sign), _limit(test.high, above, sign)


def _limit(limit: float, relation: str, sign: str) -> str:
    return f"{limit:{sign}.1f}" if limit else f"{relation} 0"


def interval_cell(test: FamilyTest) -> str:
    """Return an interval for a table such as "[+17.5, +78.7]", "–" without one."""
    limits = limit_texts(test)
    return f"[{', '.join(limits)}]" if limits else "–"


def interval_words(test: FamilyTest, sign: str = "+") -> str:
    """Return "95 % interval +17.5 to +78.7", or why there is none.

    With a limit that the test has set, the words say so.
    """
    limits = limit_texts(test, sign)
    if limits is None:
        return f"no interval with fewer than {MIN_PAIRS} pairs"
    verb = "excludes" if test.is_significant else "includes"
    set_by_test = f"; the test, not the computed limit, {verb} 0" * (0 in (test.low, test.high))
    return f"{level_text(test.level)} interval {' to '.join(limits)}{set_by_test}"


def set_limits_legend(tests: Iterable[FamilyTest]) -> str:
    """Return the meaning of the limits that tests have set, without a full stop; "" without any."""
    shown = {test.is_significant for test in tests if 0 in (test.low, test.high)}
    meanings = {
        False: "≤ 0 or ≥ 0: the computed limit excludes 0 and the exact test does not, so the "
        "limit is not known",
        True: "> 0 or < 0: the exact test excludes 0 and the computed limit does not",
    }
    return "; ".join(text for is_shown, text in meanings.items() if is_shown in shown)
