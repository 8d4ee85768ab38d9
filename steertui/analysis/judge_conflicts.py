"""Judges with different conclusions on the same answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from steertui.analysis.interval_text import interval_words
from steertui.analysis.sentences import GapResult, contested
from steertui.analysis.table import Table
from steertui.core.declared_analysis import Pair
from steertui.stats.families import Role
from steertui.stats.rate import Estimate


@dataclass(frozen=True, slots=True)
class Conflict:
    """A comparison on which the judges of two tables with the same answers contradict each other.

    Attributes:
        tables: before their comparisons are called contested.
        results: the comparison in each table.
    """

    tables: tuple[Table, Table]
    results: tuple[GapResult, GapResult]

    @property
    def pair(self) -> Pair:
        """The compared conditions."""
        return self.results[0].gap.first, self.results[0].gap.second

    @property
    def is_primary(self) -> bool:
        """Whether it is the primary comparison."""
        return self.results[0].test.family.role is Role.PRIMARY

    @property
    def sentence(self) -> str:
        """One sentence on both gaps."""
        sizes = (
            f"{_size(result)} by {table.judge.name if table.judge else ''}"
            for table, result in zip(self.tables, self.results, strict=True)
        )
        return (
            f"The conclusion on {self.tables[0].setting.name} depends on the judge: the gap "
            f"{' − '.join(self.pair)} is {' and '.join(sizes)}; neither is a finding until a "
            "reference decides between them."
        )

    def rival(self, table: Table) -> str:
        """Return the name of the judge that contradicts the table's; "" for an unconcerned table.

        The table is known by its key.
        """
        keys = [own.key for own in self.tables]
        if table.key not in keys:
            return ""
        judge = self.tables[1 - keys.index(table.key)].judge
        return judge.name if judge else ""


def judge_conflicts(tables: Sequence[Table]) -> Iterator[Conflict]:
    """Yield the comparisons on which judges of the same answers contradict each other.

    Tables that draw no headline are left out, and the demo judge beside real ones.
    """
    shown = [table for table in tables if table.judge and table.draws_headline]
    for one, two in combinations(shown, 2):
        is_same = (one.experiment, one.setting) == (two.experiment, two.setting)
        if not is_same or one.is_stand_in != two.is_stand_in:
            continue
        others = {(r.gap.first, r.gap.second): r for r in two.comparisons}
        for result in one.comparisons:
            other = others.get((result.gap.first, result.gap.second))
            if other and are_opposite(limits_of(result), limits_of(other), _signs(result, other)):
                yield Conflict((one, two), (result, other))


def with_conflicts(table: Table, conflicts: Sequence[Conflict]) -> Table:
    """Return the table with its contradicted comparisons as no findings."""
    rivals: dict[Pair, list[str]] = {}
    for conflict in conflicts:
        if rival := conflict.rival(table):
            rivals.setdefault(conflict.pair, []).append(rival)

    def marked(result: GapResult) -> GapResult:
        own = rivals.get((result.gap.first, result.gap.second))
        return contested(result, own) if own else result

    return replace(
        table,
        primary=marked(table.primary) if table.primary else None,
        secondary=tuple(map(marked, table.secondary)),
        exploratory=tuple(map(marked, table.exploratory)),
    )


def are_opposite(one: Estimate | None, two: Estimate | None, signs: tuple[int, int]) -> bool:
    """Return whether two gaps on the same answers contradict each other.

    They do if both differ from zero (`signs` are not 0), in opposite directions, or if one differs
    from zero and is outside the interval of the other. False without an interval.
    """
    if all(signs):
        return signs[0] != signs[1]
    if one is None or two is None or not any(signs):
        return False
    decided, other = (one, two) if signs[0] else (two, one)
    return not other.low <= decided.value <= other.high


def limits_of(result: GapResult) -> Estimate | None:
    """Return a gap with the limits of its test, percentage points; None without one."""
    points, low, high = result.gap.points, result.test.low, result.test.high
    if points is None or low is None or high is None:
        return None
    return Estimate(points, low, high)


def _signs(one: GapResult, two: GapResult) -> tuple[int, int]:
    return one.finding.sign, two.finding.sign


def _size(result: GapResult) -> str:
    return f"{result.gap.points:+.1f} points ({interval_words(result.test)})"
