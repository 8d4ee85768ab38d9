"""Answers of a condition and of the dose that matches it, side by side, for a random choice."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from steertui.analysis.dose_results import AxisResult, Match
from steertui.analysis.formatting import table_title
from steertui.analysis.table import Table
from steertui.core.verdict import Label
from steertui.stats.matched_dose import MatchedDose
from steertui.store import Store
from steertui.store.report_queries import ReportRow, report_rows

SCENARIOS = 3
"""Scenarios whose answers are shown for each match."""

SEED = 0
"""Seed of the choice of scenarios."""

MAX_CHARACTERS = 1200
"""Characters of an answer that are shown."""


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """One answer.

    Attributes:
        condition: its condition.
        label: words of the judge's label, or why there is none.
        text: the answer, at most `MAX_CHARACTERS` of it and the number of the others.
    """

    condition: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Answers of a condition and of one dose.

    Attributes:
        table: title of the table.
        axis: name of the axis.
        title: the two conditions, and what is equal, without a full stop.
        choice: how the scenarios were chosen, one sentence without a full stop.
        pairs: by scenario, the answer of the condition and that of the dose.
    """

    table: str
    axis: str
    title: str
    choice: str
    pairs: Mapping[str, tuple[ShownAnswer, ShownAnswer]]


def side_by_side(store: Store, table: Table) -> list[SideBySide]:
    """Return the answers at each matched strength of a table.

    There are none if its labels allow no conclusion.

    The dose is the one of the axis that is nearest to the matched dose. Doses that match the
    condition's rate come before those that match its log-likelihood.
    """
    if not table.draws_headline:
        return []
    return [
        found
        for axis in table.groups.axes
        for match in axis.matches
        for words, matched in _matched(match)
        if (found := _side_by_side(store, table, axis, match.condition, (words, matched)))
    ]


def _matched(match: Match) -> Iterator[tuple[str, float]]:
    """Yield each dose that matches a condition, with what is equal."""
    found: list[tuple[str, MatchedDose]] = []
    if match.matched:
        found.append(("converges as often", match.matched))
    if match.cost:
        found += [("costs as much log-likelihood", each) for each in match.cost.matched]
    yield from ((words, each.dose) for words, each in found if each.dose is not None)


def _side_by_side(
    store: Store, table: Table, axis: AxisResult, condition: str, match: tuple[str, float]
) -> SideBySide | None:
    words, matched = match
    nearest = min(axis.curve.points, key=lambda point: abs(point.dose - matched))
    rows = _first_answers(store, table, (condition, nearest.condition))
    shared = sorted(name for name, own in rows.items() if len(own) == 2)
    if not shared or nearest.dose == 0:
        return None
    chosen = sorted(random.Random(SEED).sample(shared, min(SCENARIOS, len(shared))))
    return SideBySide(
        table=table_title(table),
        axis=axis.name,
        title=f"{condition} and {nearest.condition}, the dose of {axis.name} nearest to "
        f"{matched:.3g}, which {words}",
        choice=f"{len(chosen)} of {len(shared)} scenarios, drawn at random with seed {SEED}",
        pairs={
            name: (_shown(rows[name][condition]), _shown(rows[name][nearest.condition]))
            for name in chosen
        },
    )


def _first_answers(
    store: Store, table: Table, conditions: tuple[str, str]
) -> dict[str, dict[str, ReportRow]]:
    """Return the answers of the first sample by scenario and condition."""
    judge = table.judge.id if table.judge else None
    by_scenario: dict[str, dict[str, ReportRow]] = {}
    for row in report_rows(store, table.experiment, table.setting, judge, conditions):
        if row.sample == 0 and row.answer is not None:
            by_scenario.setdefault(row.scenario, {})[row.condition] = row
    return by_scenario


def _shown(row: ReportRow) -> ShownAnswer:
    text = (row.answer or "").strip()
    rest = len(text) - MAX_CHARACTERS
    if rest > 0:
        text = f"{text[:MAX_CHARACTERS]} … ({rest:,} more characters)"
    label = Label(row.label).words if row.label else "no label"
    return ShownAnswer(row.condition, label, text or "(empty)")
