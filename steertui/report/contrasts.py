"""Contrasts: models, temperatures and judges against each other, scenario by scenario."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.agreement import Pair
from steertui.contrast import gap_contrast
from steertui.gap import Gap, gap_of
from steertui.rate import Cells
from steertui.report.summary import Summary
from steertui.report.table import Comparison, Table, adjust, convergent
from steertui.sentence import contrast_sentence


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison: `what` is a condition's name, or the headline gap."""

    what: str
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Contrast:
    """Everything of one kind that is compared; Holm's correction is over all its lines.

    Attributes:
        title: what is compared, and what is held equal.
        lines: the gaps first, then the conditions.
    """

    title: str
    lines: tuple[Line, ...]


def contrasts(summary: Summary) -> tuple[Contrast, ...]:
    """Return the models against each other under each judge, then the judges on each model."""
    judged = [table for table in summary.tables if table.judge]
    found = []
    for judge, tables in _grouped(judged, lambda t: t.judge.id if t.judge else "").items():
        name = next(t.judge.name for t in tables if t.judge and t.judge.id == judge)
        found += _contrast(f"Models compared, judged by {name}", tables, _arm_names(tables))
    for tables in _grouped(judged, lambda t: (t.experiment, t.arm)).values():
        names = [t.judge.name for t in tables if t.judge]
        arm = tables[0].arm
        title = f"Judges compared, on {arm.name}, temperature {arm.temperature:g}"
        found += _contrast(title, tables, names)
    return tuple(found)


def judge_pairs(summary: Summary) -> Iterator[tuple[str, str, str, list[Pair]]]:
    """Yield (arm, judge, judge, both judges' labels of each answer) for any two on one arm."""
    judged = [table for table in summary.tables if table.judge]
    for tables in _grouped(judged, lambda t: (t.experiment, t.arm)).values():
        for one, two in combinations(tables, 2):
            both = zip(one.outcomes, two.outcomes, strict=True)
            pairs = [(a.label, b.label) for a, b in both if a.label and b.label]
            names = [t.judge.name for t in (one, two) if t.judge]
            yield one.arm.name, names[0], names[1], pairs


def _grouped(
    tables: Iterable[Table], key: Callable[[Table], Hashable]
) -> dict[Hashable, list[Table]]:
    found: dict[Hashable, list[Table]] = {}
    for table in tables:
        found.setdefault(key(table), []).append(table)
    return {name: group for name, group in found.items() if len(group) > 1}


def _arm_names(tables: Sequence[Table]) -> list[str]:
    """Return names that tell the arms apart: the model's, with what else differs."""
    names = [t.arm.name for t in tables]
    temperatures = [f"{n} at {t.arm.temperature:g}" for n, t in zip(names, tables, strict=True)]
    files = [f"{n} ({t.arm.model[:8]})" for n, t in zip(temperatures, tables, strict=True)]
    places = [f"{n} in {t.experiment}" for n, t in zip(files, tables, strict=True)]
    every = (names, temperatures, files, places)
    return next((n for n in every if len(set(n)) == len(n)), places)


def _contrast(title: str, tables: Sequence[Table], names: Sequence[str]) -> list[Contrast]:
    sides = [convergent(t.outcomes, t.policy) for t in tables]
    found: list[tuple[str, Gap]] = []
    for one, two in combinations(range(len(tables)), 2):
        found += _differences(sides[one], sides[two], names[one], names[two])
    adjusted = adjust([gap for _, gap in found])
    lines = tuple(
        Line(what, Comparison(gap, p, contrast_sentence(gap, what, p)))
        for (what, gap), p in zip(found, adjusted, strict=True)
    )
    return [Contrast(title, lines)] if lines else []


def _differences(
    one: dict[str, Cells], two: dict[str, Cells], first: str, second: str
) -> list[tuple[str, Gap]]:
    shared = [name for name in one if name in two]
    found = [(name, gap_of(one[name], two[name], first, second)) for name in shared]
    if {"pro", "anti"} <= {*shared}:
        pairs = [(side["pro"], side["anti"]) for side in (one, two)]
        found.insert(0, ("pro − anti", gap_contrast(pairs[0], pairs[1], first, second)))
    return found
