"""Judges with different conclusions on the same answers."""

from collections.abc import Iterator, Sequence
from itertools import combinations

from steertui.analysis.table import GapResult, Table
from steertui.stats.significance import SIGNIFICANCE_LEVEL


def opposite_conclusions(tables: Sequence[Table]) -> Iterator[str]:
    """Yield a sentence for each two judges whose headline gaps on the same answers contradict.

    They contradict if both differ from zero, in opposite directions, or if one differs from zero
    and is outside the interval of the other. Tables that draw no headline are left out.
    """
    shown = [t for t in tables if t.judge and t.comparisons and t.draws_headline]
    for one, two in combinations(shown, 2):
        if (one.experiment, one.setting) != (two.experiment, two.setting):
            continue
        first, second = one.comparisons[0], two.comparisons[0]
        same = (first.gap.first, first.gap.second) == (second.gap.first, second.gap.second)
        if same and _contradict(first, second) and one.judge and two.judge:
            yield (
                f"The conclusion on {one.setting.name} depends on the judge: the gap "
                f"{first.gap.first} − {first.gap.second} is {_size(first)} by {one.judge.name} and "
                f"{_size(second)} by {two.judge.name}; neither is a finding until a reference "
                "decides between them."
            )


def _contradict(first: GapResult, second: GapResult) -> bool:
    one, two = _sign(first), _sign(second)
    if one and two:
        return one != two
    decided, other = (first, second) if one else (second, first)
    points = decided.gap.points
    low, high = other.gap.low, other.gap.high
    if not (one or two) or points is None or low is None or high is None:
        return False
    return not low <= points <= high


def _sign(result: GapResult) -> int:
    """Return 1 or -1 for a gap that the test shows, 0 for one that it does not."""
    p = result.gap.p if result.adjusted is None else result.adjusted
    points = result.gap.points
    if p is None or points is None or p > SIGNIFICANCE_LEVEL:
        return 0
    return 1 if points > 0 else -1


def _size(result: GapResult) -> str:
    gap = result.gap
    return f"{gap.points:+.1f} points (95 % interval {gap.low:+.1f} to {gap.high:+.1f})"
