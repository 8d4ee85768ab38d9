"""Overview of many tables: declared comparisons over all of them, and warnings by kind."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.sentences import Finding
from steertui.analysis.table import Table
from steertui.analysis.trial_warning import TrialWarning, WarningKind
from steertui.core.declared_analysis import Pair
from steertui.stats.families import Role

MAX_ROWS = 60
"""Maximum rates and comparisons of all tables together that a short report shows one by one."""


def is_short(tables: Sequence[Table]) -> bool:
    """Whether rates and comparisons of all tables fit into a short report.

    Conditions of dose axes and contests, which have tables of their own, do not count.
    """
    alone = [table.ungrouped for table in tables]
    return sum(len(table.rows) + len(table.comparisons) for table in alone) <= MAX_ROWS


@dataclass(frozen=True, slots=True)
class PairOverview:
    """One comparison over all tables that have it.

    Attributes:
        pair: the two conditions.
        findings: number of tables by finding.
        low: smallest difference in percentage points; None without any.
        high: largest difference.
    """

    pair: Pair
    findings: Mapping[Finding, int]
    low: float | None
    high: float | None


def pair_overviews(tables: Sequence[Table]) -> Iterator[PairOverview]:
    """Yield the comparisons of the tables, the primary ones first."""
    pairs: dict[Pair, list[Finding]] = {}
    points: dict[Pair, list[float]] = {}
    for role in Role:
        for table in tables:
            for result in table.comparisons:
                if result.test.family.role is role:
                    pair = result.gap.first, result.gap.second
                    pairs.setdefault(pair, []).append(result.finding)
                    if result.gap.points is not None:
                        points.setdefault(pair, []).append(result.gap.points)
    for pair, findings in pairs.items():
        own = points.get(pair, [])
        yield PairOverview(pair, Counter(findings), min(own, default=None), max(own, default=None))


@dataclass(frozen=True, slots=True)
class WarningCount:
    """Warnings of one kind.

    Attributes:
        kind: of the warnings.
        number: of the warnings.
        tables: number of tables that have one.
        example: the first one, with its table's model if there are several tables, and its judge if
            there are several.
    """

    kind: WarningKind
    number: int
    tables: int
    example: str


def count_warnings(tables: Sequence[Table]) -> list[WarningCount]:
    """Return the warnings of the tables by kind, the gravest kinds first."""
    by_kind: dict[WarningKind, list[tuple[Table, TrialWarning]]] = {}
    for table in tables:
        for warning in table.warnings:
            by_kind.setdefault(warning.kind, []).append((table, warning))
    return [
        WarningCount(
            kind=kind,
            number=len(by_kind[kind]),
            tables=len({table.key for table, _ in by_kind[kind]}),
            example=_example(*by_kind[kind][0], tables),
        )
        for kind in WarningKind
        if kind in by_kind
    ]


def warning_text(count: WarningCount) -> str:
    """Return the first warning of a kind and the number of others, without a full stop."""
    others = count.number - 1
    if not others:
        return count.example
    return f"{count.example} (and {others} more: {count.kind})"


def _example(table: Table, warning: TrialWarning, tables: Sequence[Table]) -> str:
    if len(tables) == 1:
        return warning.text
    several = len({other.judge for other in tables if other.judge}) > 1
    judge = f", judged by {table.judge.name}" if several and table.judge else ""
    return f"{table.setting.name}{judge}: {warning.text}"
