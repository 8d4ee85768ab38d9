"""Comparisons of models, temperatures and judges, paired by scenario."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from steertui.analysis.comparable import are_comparable
from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.sentences import GapResult, difference_result
from steertui.analysis.stand_ins import without_stand_ins
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.declared_analysis import Pair
from steertui.lookup import short_id
from steertui.stats.families import (
    Contrast,
    Family,
    FamilyTest,
    Role,
    family_tests,
    headline_contrast,
    headline_difference_contrast,
)
from steertui.stats.rate import ScenarioCounts

EXPLORATORY = "exploratory, Holm over the gaps and over the rates separately"
"""What the tests of one comparison are; those of other models or judges are not counted."""


@dataclass(frozen=True, slots=True)
class ComparisonLine:
    """One comparison; `what` is a condition, or "pro − anti" for the primary gap.

    Attributes:
        is_gap: whether the gaps of the primary comparison are compared.
    """

    what: str
    comparison: GapResult
    is_gap: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """All comparisons of one kind.

    Attributes:
        title: what is compared, and what is equal.
        lines: for each pair of tables the primary gap first, then the conditions. Holm corrects
            the gaps over all pairs of tables, and the conditions over all pairs and conditions.
    """

    title: str
    lines: tuple[ComparisonLine, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    """A contrast of two tables before it is tested."""

    what: str
    contrast: Contrast
    conditions: tuple[str, ...]
    tables: tuple[Table, Table]

    @property
    def is_gap(self) -> bool:
        return len(self.conditions) > 1


Names = Callable[[Sequence[Table]], list[str]]
"""Function from tables to unique names."""


def compare_tables(summary: Summary) -> tuple[Comparison, ...]:
    """Return the shown comparisons between a summary's tables.

    Under each judge: models at one temperature, and temperatures of one model. Then the judges on
    each model setting. Tables that differ in more than one factor are not compared, because the
    difference could not be attributed (`are_comparable`), nor the demo model with real ones
    (`without_stand_ins`). Families are those of all tables, shown or not; tables of different
    experiments are families of their own.
    """
    comparisons: list[Comparison] = []
    judged = [table for table in summary.complete if table.judge]
    for tables in groups_of_several(judged, lambda t: t.judge and t.judge.id).values():
        comparisons += _compare_models(without_stand_ins(tables), summary)
        comparisons += _compare_temperatures(tables, summary)
    for tables in judged_by_several(summary):
        setting = tables[0].setting
        tag = next((f", {table.tag}" for table in tables if table.tag), "")
        where = f"{setting.name}, temperature {setting.temperature:g}{tag}"
        title = f"Judges compared over the answers that both labelled, on {where}"
        lines = _lines(_reliable(combinations(tables, 2)), _judge_names, same_answers=True)
        comparisons += _shown(title, lines, summary)
    return tuple(comparisons)


def judge_differences(one: Table, two: Table) -> tuple[ComparisonLine, ...]:
    """Return the differences of two judges over the answers that both labelled, gap first.

    They describe the judges, so they are also made for judges without worth.
    """
    return _tested(_lines([(one, two)], _judge_names, same_answers=True))


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
        pairs = [p for p in combinations(own, 2) if are_comparable(*p, summary.settings)]
        lines = _lines(_reliable(pairs), _setting_names)
        comparisons += _by_experiment(title, lines, summary)
    return comparisons


def _compare_temperatures(tables: Sequence[Table], summary: Summary) -> list[Comparison]:
    comparisons: list[Comparison] = []
    for own in groups_of_several(tables, lambda t: (t.experiment, t.setting.model)).values():
        title = f"Temperatures compared on {own[0].setting.name}, judged by {_judge_name(tables)}"
        lines = _lines(_reliable(combinations(own, 2)), _setting_names)
        comparisons += _shown(title, lines, summary)
    return comparisons


def judged_by_several(summary: Summary) -> list[list[Table]]:
    """Return the tables of each model setting that several judges labelled, shown or not."""
    judged = [table for table in summary.complete if table.judge]
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


def _lines(
    pairs: Sequence[tuple[Table, Table]], names: Names, *, same_answers: bool = False
) -> list[_Line]:
    """Return the contrasts of pairs of tables; none without a shared condition.

    `same_answers` restricts each pair to the answers that both tables' judges labelled.
    """
    tables = {id(table): table for pair in pairs for table in pair}
    table_names = dict(zip(tables, names([*tables.values()]), strict=True))
    counts = {key: convergence_counts(t.outcomes, t.policy) for key, t in tables.items()}
    lines: list[_Line] = []
    for one, two in pairs:
        sides = _shared_counts(one, two) if same_answers else (counts[id(one)], counts[id(two)])
        lines += _differences((one, two), sides, (table_names[id(one)], table_names[id(two)]))
    return lines


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
    tables: tuple[Table, Table],
    counts: tuple[Mapping[str, ScenarioCounts], Mapping[str, ScenarioCounts]],
    names: tuple[str, str],
) -> list[_Line]:
    one, two = counts
    shared = [name for name in one if name in two]
    lines = [
        _Line(name, headline_contrast(one[name], two[name], *names), (name,), tables)
        for name in shared
    ]
    pair = _primary_pair(tables)
    if pair and {*pair} <= {*shared}:
        sides = [(side[pair[0]], side[pair[1]]) for side in counts]
        contrast = headline_difference_contrast(sides[0], sides[1], *names)
        lines.insert(0, _Line(f"{pair[0]} − {pair[1]}", contrast, pair, tables))
    return lines


def _primary_pair(tables: tuple[Table, Table]) -> Pair | None:
    """Return the primary comparison that both tables have; None if they differ in it."""
    pairs = {(t.primary.gap.first, t.primary.gap.second) for t in tables if t.primary}
    return pairs.pop() if len(pairs) == 1 else None


def _by_experiment(title: str, lines: Sequence[_Line], summary: Summary) -> list[Comparison]:
    """Return the comparisons of models; tables of different experiments are families of their own.

    So no other experiment in the report changes a p value.
    """
    groups: dict[tuple[str, ...], list[_Line]] = {}
    for line in lines:
        experiments = tuple(sorted({table.experiment for table in line.tables}))
        groups.setdefault(experiments, []).append(line)
    comparisons: list[Comparison] = []
    for experiments, own in groups.items():
        tag = f", experiments {' and '.join(experiments)}" if len(experiments) > 1 else ""
        comparisons += _shown(f"{title}{tag}", own, summary)
    return comparisons


def _shown(title: str, lines: Sequence[_Line], summary: Summary) -> list[Comparison]:
    """Return the comparison with its shown lines, in a list; [] if none is shown."""
    shown = tuple(
        tested
        for line, tested in zip(lines, _tested(lines), strict=True)
        if all(map(summary.shows, line.tables)) and summary.selection.shows(line.conditions)
    )
    return [Comparison(f"{title}; {EXPLORATORY}", shown)] if shown else []


def _tested(lines: Sequence[_Line]) -> tuple[ComparisonLine, ...]:
    """Return the lines with their tests: the gaps are one family, the conditions another."""
    gaps = [line for line in lines if line.is_gap]
    rates = [line for line in lines if not line.is_gap]
    tests: dict[int, FamilyTest] = {}
    for own, words in ((gaps, "differences of gaps"), (rates, "differences of rates")):
        family = Family(Role.EXPLORATORY, len(own), words)
        contrasts = [line.contrast for line in own]
        tests |= dict(zip(map(id, own), family_tests(contrasts, family), strict=True))
    return tuple(
        ComparisonLine(
            line.what,
            difference_result(line.contrast, tests[id(line)], line.what),
            is_gap=line.is_gap,
        )
        for line in lines
    )
