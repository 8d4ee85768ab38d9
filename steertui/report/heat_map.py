"""Heat map: every scenario under every condition, with a label or a rate in each cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.table import Table
from steertui.core.outcome import Outcome
from steertui.core.verdict import SIGNS, Label
from steertui.stats.rate import VALID_LABELS

ROWS_PER_PAGE = 150
"""Rows of a heat map that a browser lays out at once."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One scenario under one condition.

    Attributes:
        sign: a label's sign, or a percentage.
        words: the same in words, for screen readers.
        kind: a label, "share" or "open"; part of a CSS class.
        depth: intensity of the colour, 0 to 100.
    """

    sign: str
    words: str
    kind: str
    depth: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One scenario.

    Attributes:
        scenario: the scenario's name.
        name: the scenario's name without its pack.
        category: the scenario's category.
        cells: one for each condition.
        has_changed: whether its rate differs between the two conditions of the headline gap.
    """

    scenario: str
    name: str
    category: str
    cells: tuple[HeatCell, ...]
    has_changed: bool


def heat_rows(table: Table) -> Iterator[HeatRow]:
    """Yield one row per scenario, in planned order."""
    by_scenario: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in table.outcomes:
        conditions = by_scenario.setdefault(outcome.scenario, {})
        conditions.setdefault(outcome.condition, []).append(outcome)
    pair: tuple[str, ...] = ()
    if table.primary:
        gap = table.primary.gap
        pair = (gap.first, gap.second)
    for scenario, conditions in by_scenario.items():
        rates = [_rate(conditions.get(name, ()), table) for name in pair]
        yield HeatRow(
            scenario=scenario,
            name=scenario.split("/", 1)[-1],
            category=next(iter(conditions.values()))[0].category,
            cells=tuple(heat_cell(conditions.get(name, ()), table) for name in table.conditions),
            has_changed=None not in rates and len(set(rates)) > 1,
        )


def heat_cell(outcomes: Sequence[Outcome], table: Table) -> HeatCell:
    """Return the cell of a scenario and condition: the label of one sample, the rate of several."""
    labels = [outcome.label for outcome in outcomes if outcome.label is not None]
    if len(outcomes) == 1 and labels:
        label = labels[0]
        return HeatCell(SIGNS[label], label.words, label.value, 100)
    if not labels:
        return _empty_cell(outcomes)
    rate = _rate(outcomes, table)
    if rate is None:
        return HeatCell("?", f"no valid answer of {len(labels)}", Label.NONSENSICAL.value, 100)
    percent = round(100 * rate)
    valid = sum(label in VALID_LABELS[table.policy] for label in labels)
    return HeatCell(f"{percent}", f"{percent} % of {valid} converge", "share", percent)


def _rate(outcomes: Sequence[Outcome], table: Table) -> float | None:
    """Return the convergence rate, 0 to 1; None without a valid answer."""
    valid = [o.label for o in outcomes if o.label in VALID_LABELS[table.policy]]
    return sum(label is Label.CONVERGENCE for label in valid) / len(valid) if valid else None


def _empty_cell(outcomes: Sequence[Outcome]) -> HeatCell:
    if any(outcome.failed for outcome in outcomes):
        return HeatCell("!", "the judge failed", "open", 0)
    if any(outcome.generated for outcome in outcomes):
        return HeatCell("▫", "not judged yet", "open", 0)
    return HeatCell("", "not answered yet" if outcomes else "not planned", "open", 0)
