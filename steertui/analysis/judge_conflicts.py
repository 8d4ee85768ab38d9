"""Judges with different conclusions on the same answers."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from steertui.analysis.interval_text import interval_words
from steertui.analysis.sentences import GapResult
from steertui.analysis.table import Table


def opposite_conclusions(
    tables: Sequence[Table],
) -> Iterator[tuple[tuple[Table, Table], str]]:
    """Yield two tables and a sentence where their judges' primary gaps contradict each other.

    The tables are of the same answers.

    They contradict if both differ from zero, in opposite directions, or if one differs from zero
    and is outside the interval of the other. Tables that draw no headline are left out.
    """
    shown = [t for t in tables if t.judge and t.primary and t.draws_headline]
    for one, two in combinations(shown, 2):
        if (one.experiment, one.setting) != (two.experiment, two.setting):
            continue
        first, second = one.primary, two.primary
        if first and second and _contradict(first, second) and one.judge and two.judge:
            yield (
                (one, two),
                f"The conclusion on {one.setting.name} depends on the judge: the gap "
                f"{first.gap.first} − {first.gap.second} is {_size(first)} by {one.judge.name} and "
                f"{_size(second)} by {two.judge.name}; neither is a finding until a reference "
                "decides between them.",
            )


def _contradict(first: GapResult, second: GapResult) -> bool:
    one, two = first.finding.sign, second.finding.sign
    if one and two:
        return one != two
    decided, other = (first, second) if one else (second, first)
    points = decided.gap.points
    low, high = other.test.low, other.test.high
    if not (one or two) or points is None or low is None or high is None:
        return False
    return not low <= points <= high


def _size(result: GapResult) -> str:
    return f"{result.gap.points:+.1f} points ({interval_words(result.test)})"
