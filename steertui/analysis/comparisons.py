"""Contrasts: models, temperatures and judges against each other, scenario by scenario."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.comparable import are_comparable
from steertui.analysis.sentences import difference_sentence
from steertui.analysis.summary import Summary
from steertui.analysis.table import GapResult, Table, convergence_counts, count_tests, holm_adjusted
from steertui.lookup import brief
from steertui.stats.gap import Gap, paired_gap
from steertui.stats.gap_difference import gap_difference
from steertui.stats.rate import ScenarioCounts


@dataclass(frozen=True, slots=True)
class ComparisonLine:
    """One comparison: `what` is a condition's name, or the headline gap."""

    what: str
    comparison: GapResult


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything of one kind that is compared; Holm's correction is over all its lines.

    Attributes:
        title: what is compared, and what is held equal.
        lines: the gaps first, then the conditions.
    """

    title: str
    lines: tuple[ComparisonLine, ...]


def compare_tables(summary: Summary) -> tuple[Comparison, ...]:
    """Return, under each judge, the models at one temperature and the temperatures of one model;
    then the judges on each model.

    What differs in two things is not compared: nobody could say which of them it was
    (`alike.are_comparable`).
    """
    found: list[Comparison] = []
    judged = [table for table in summary.tables if table.judge]
    for tables in groups_of_several(judged, lambda t: t.judge and t.judge.id).values():
        name = next(t.judge.name for t in tables if t.judge)
        several = len({t.setting.temperature for t in tables}) > 1
        for at, own in groups_of_several(tables, lambda t: t.setting.temperature).items():
            where = f" at temperature {at:g}" if several else ""
            title = f"Models compared{where}, judged by {name}"
            pairs = [p for p in combinations(own, 2) if are_comparable(*p, summary.settings)]
            found += _contrast(title, pairs, _arm_names)
        for own in groups_of_several(tables, lambda t: (t.experiment, t.setting.model)).values():
            title = f"Temperatures compared on {own[0].setting.name}, judged by {name}"
            found += _contrast(title, [*combinations(own, 2)], _arm_names)
    for tables in judged_by_several(summary):
        arm = tables[0].setting
        tag = next((f", {t.tag}" for t in tables if t.tag), "")
        title = f"Judges compared, on {arm.name}, temperature {arm.temperature:g}{tag}"
        found += _contrast(title, [*combinations(tables, 2)], _judge_names, same_answers=True)
    return tuple(found)


def judged_by_several(summary: Summary) -> list[list[Table]]:
    """Return the tables of each arm that several judges have read."""
    judged = [table for table in summary.tables if table.judge]
    return [*groups_of_several(judged, lambda t: (t.experiment, t.setting)).values()]


def groups_of_several(
    tables: Iterable[Table], key: Callable[[Table], Hashable]
) -> dict[Hashable, list[Table]]:
    """Return tables of one kind together, kinds with a single one left out."""
    found: dict[Hashable, list[Table]] = {}
    for table in tables:
        found.setdefault(key(table), []).append(table)
    return {name: group for name, group in found.items() if len(group) > 1}


def _arm_names(tables: Sequence[Table]) -> list[str]:
    """Return names that tell the arms apart: the model's, with what else differs."""
    names = [t.setting.name for t in tables]
    temperatures = [f"{n} at {t.setting.temperature:g}" for n, t in zip(names, tables, strict=True)]
    files = [f"{n} ({brief(t.setting.model)})" for n, t in zip(temperatures, tables, strict=True)]
    places = [f"{n} in {t.experiment}" for n, t in zip(files, tables, strict=True)]
    every = (names, temperatures, files, places)
    return next((n for n in every if len(set(n)) == len(n)), places)


def _judge_names(tables: Sequence[Table]) -> list[str]:
    return [t.judge.name for t in tables if t.judge]


def _contrast(
    title: str,
    pairs: Sequence[tuple[Table, Table]],
    names: Callable[[Sequence[Table]], list[str]],
    *,
    same_answers: bool = False,
) -> list[Comparison]:
    """Compare pairs of tables; `same_answers` takes only what both have labelled."""
    tables = {id(table): table for pair in pairs for table in pair}
    told = dict(zip(tables, names([*tables.values()]), strict=True))
    sides = {place: convergence_counts(t.outcomes, t.policy) for place, t in tables.items()}
    found: list[tuple[str, Gap]] = []
    for one, two in pairs:
        pair = _shared(one, two) if same_answers else (sides[id(one)], sides[id(two)])
        found += _differences(*pair, told[id(one)], told[id(two)])
    adjusted = holm_adjusted([gap for _, gap in found])
    tests = count_tests([gap for _, gap in found])
    lines = tuple(
        ComparisonLine(what, GapResult(gap, p, difference_sentence(gap, what, p, tests)))
        for (what, gap), p in zip(found, adjusted, strict=True)
    )
    return [Comparison(title, lines)] if lines else []


def _shared(one: Table, two: Table) -> tuple[dict[str, ScenarioCounts], dict[str, ScenarioCounts]]:
    """Return both tables' cells over the answers that both judges have labelled."""
    every = zip(one.outcomes, two.outcomes, strict=True)
    both = [(a, b) for a, b in every if a.label and b.label]
    return (
        convergence_counts((a for a, _ in both), one.policy),
        convergence_counts((b for _, b in both), two.policy),
    )


def _differences(
    one: dict[str, ScenarioCounts], two: dict[str, ScenarioCounts], first: str, second: str
) -> list[tuple[str, Gap]]:
    shared = [name for name in one if name in two]
    found = [(name, paired_gap(one[name], two[name], first, second)) for name in shared]
    if {"pro", "anti"} <= {*shared}:
        pairs = [(side["pro"], side["anti"]) for side in (one, two)]
        found.insert(0, ("pro − anti", gap_difference(pairs[0], pairs[1], first, second)))
    return found
