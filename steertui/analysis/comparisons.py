"""Comparisons of models, temperatures and judges, paired by scenario."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.comparable import are_comparable
from steertui.analysis.sentences import difference_sentence
from steertui.analysis.summary import Summary
from steertui.analysis.table import (
    GapResult,
    Table,
    convergence_counts,
    count_tests,
    holm_adjusted,
)
from steertui.lookup import short_id
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.gap_difference import gap_difference
from steertui.stats.rate import ScenarioCounts


@dataclass(frozen=True, slots=True)
class ComparisonLine:
    """One comparison; `what` is a condition, or "pro − anti" for the headline gap."""

    what: str
    comparison: GapResult


@dataclass(frozen=True, slots=True)
class Comparison:
    """All comparisons of one kind; Holm over all its lines.

    Attributes:
        title: what is compared, and what is equal.
        lines: for each pair of tables the gap first, then the conditions.
    """

    title: str
    lines: tuple[ComparisonLine, ...]


def compare_tables(summary: Summary) -> tuple[Comparison, ...]:
    """Return all comparisons of a summary's tables.

    Under each judge: models at one temperature, and temperatures of one model. Then the judges on
    each model setting. Tables that differ in more than one factor are not compared, because the
    difference could not be attributed (`are_comparable`).
    """
    comparisons: list[Comparison] = []
    judged = [table for table in summary.tables if table.judge]
    for tables in groups_of_several(judged, lambda t: t.judge and t.judge.id).values():
        comparisons += _compare_models(tables, summary)
        comparisons += _compare_temperatures(tables)
    for tables in judged_by_several(summary):
        setting = tables[0].setting
        tag = next((f", {table.tag}" for table in tables if table.tag), "")
        title = f"Judges compared, on {setting.name}, temperature {setting.temperature:g}{tag}"
        pairs = _reliable(combinations(tables, 2))
        comparisons += _compare_pairs(title, pairs, _judge_names, same_answers=True)
    return tuple(comparisons)


def judge_differences(one: Table, two: Table) -> tuple[ComparisonLine, ...]:
    """Return the differences of two judges over the answers that both labelled, gap first.

    They describe the judges, so they are also made for judges without worth.
    """
    comparisons = _compare_pairs("", [(one, two)], _judge_names, same_answers=True)
    return comparisons[0].lines if comparisons else ()


def _reliable(pairs: Iterable[tuple[Table, Table]]) -> list[tuple[Table, Table]]:
    """Return the pairs of tables of which both draw a headline."""
    return [pair for pair in pairs if all(table.draws_headline for table in pair)]


def _compare_models(tables: Sequence[Table], summary: Summary) -> list[Comparison]:
    comparisons: list[Comparison] = []
    several = len({table.setting.temperature for table in tables}) > 1
    groups = groups_of_several(tables, lambda t: t.setting.temperature)
    for temperature, own in groups.items():
        where = f" at temperature {temperature:g}" if several else ""
        title = f"Models compared{where}, judged by {_judge_name(tables)}"
        comparable = (p for p in combinations(own, 2) if are_comparable(*p, summary.settings))
        pairs = _reliable(comparable)
        comparisons += _compare_pairs(title, pairs, _setting_names)
    return comparisons


def _compare_temperatures(tables: Sequence[Table]) -> list[Comparison]:
    comparisons: list[Comparison] = []
    for own in groups_of_several(tables, lambda t: (t.experiment, t.setting.model)).values():
        name = own[0].setting.name
        title = f"Temperatures compared on {name}, judged by {_judge_name(tables)}"
        comparisons += _compare_pairs(title, _reliable(combinations(own, 2)), _setting_names)
    return comparisons


def judged_by_several(summary: Summary) -> list[list[Table]]:
    """Return the tables of each model setting that several judges labelled."""
    judged = [table for table in summary.tables if table.judge]
    return [*groups_of_several(judged, lambda t: (t.experiment, t.setting)).values()]


def groups_of_several(
    tables: Iterable[Table], key: Callable[[Table], Hashable]
) -> dict[Hashable, list[Table]]:
    """Return the tables by key, without keys that have a single table."""
    groups: dict[Hashable, list[Table]] = {}
    for table in tables:
        groups.setdefault(key(table), []).append(table)
    return {name: group for name, group in groups.items() if len(group) > 1}


def _setting_names(tables: Sequence[Table]) -> list[str]:
    """Return unique names of the tables' settings: the model's name, and other differences."""
    names = [table.setting.name for table in tables]
    temperatures = [
        f"{name} at {table.setting.temperature:g}"
        for name, table in zip(names, tables, strict=True)
    ]
    files = [
        f"{name} ({short_id(table.setting.model)})"
        for name, table in zip(temperatures, tables, strict=True)
    ]
    experiments = [
        f"{name} in {table.experiment}" for name, table in zip(files, tables, strict=True)
    ]
    candidates = (names, temperatures, files, experiments)
    return next((c for c in candidates if len(set(c)) == len(c)), experiments)


def _judge_names(tables: Sequence[Table]) -> list[str]:
    return [table.judge.name for table in tables if table.judge]


def _judge_name(tables: Sequence[Table]) -> str:
    return _judge_names(tables)[0]


def _compare_pairs(
    title: str,
    pairs: Sequence[tuple[Table, Table]],
    names: Callable[[Sequence[Table]], list[str]],
    *,
    same_answers: bool = False,
) -> list[Comparison]:
    """Return the comparison of pairs of tables; none without a shared condition.

    `same_answers` restricts each pair to the answers that both tables' judges labelled.
    """
    tables = {id(table): table for pair in pairs for table in pair}
    table_names = dict(zip(tables, names([*tables.values()]), strict=True))
    counts = {key: convergence_counts(t.outcomes, t.policy) for key, t in tables.items()}
    gaps_by_name: list[tuple[str, Gap]] = []
    for one, two in pairs:
        sides = _shared_counts(one, two) if same_answers else (counts[id(one)], counts[id(two)])
        gaps_by_name += _differences(*sides, table_names[id(one)], table_names[id(two)])
    gaps = [gap for _, gap in gaps_by_name]
    tests = count_tests(gaps)
    lines = tuple(
        ComparisonLine(what, GapResult(gap, p, difference_sentence(gap, what, p, tests)))
        for (what, gap), p in zip(gaps_by_name, holm_adjusted(gaps), strict=True)
    )
    return [Comparison(title, lines)] if lines else []


def _shared_counts(
    one: Table, two: Table
) -> tuple[dict[str, ScenarioCounts], dict[str, ScenarioCounts]]:
    """Return both tables' counts over the answers that both judges labelled."""
    pairs = zip(one.outcomes, two.outcomes, strict=True)
    both = [(a, b) for a, b in pairs if a.label and b.label]
    return (
        convergence_counts((a for a, _ in both), one.policy),
        convergence_counts((b for _, b in both), two.policy),
    )


def _differences(
    one: dict[str, ScenarioCounts], two: dict[str, ScenarioCounts], first: str, second: str
) -> list[tuple[str, Gap]]:
    shared = [name for name in one if name in two]
    gaps = [(name, paired_gap(one[name], two[name], first, second)) for name in shared]
    if {"pro", "anti"} <= {*shared}:
        pairs = [(side["pro"], side["anti"]) for side in (one, two)]
        gaps.insert(0, ("pro − anti", gap_difference(pairs[0], pairs[1], first, second)))
    return gaps
