"""A Heat map: every scenario under every condition, a sign or a share in each cell."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from steertui.analysis.table import Table
from steertui.core.outcome import Outcome
from steertui.core.verdict import SIGNS, Label
from steertui.stats.rate import VALID_LABELS

PAGE = 150
"""Scenarios that a page lays out at once; more are laid by when asked for."""


@dataclass(frozen=True, slots=True)
class HeatCell:
    """What shows: a sign or a percentage, in words for those who hear it, and how dark."""

    sign: str
    said: str
    kind: str
    depth: int


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One scenario; `moved` where it converges more often under the headline's first condition
    than under its second, or less."""

    scenario: str
    name: str
    category: str
    cells: tuple[HeatCell, ...]
    moved: bool


def lines(table: Table) -> Iterator[HeatRow]:
    """Yield a line a scenario, in planned order."""
    found: dict[str, dict[str, list[Outcome]]] = {}
    for outcome in table.outcomes:
        found.setdefault(outcome.scenario, {}).setdefault(outcome.condition, []).append(outcome)
    head = table.comparisons[0].gap if table.comparisons else None
    for scenario, arms in found.items():
        cells = tuple(cell(arms.get(name, ()), table) for name in table.conditions)
        shares = [_share(arms.get(n, ()), table) for n in (head.first, head.second)] if head else []
        moved = len(shares) == 2 and None not in shares and shares[0] != shares[1]
        category = next(iter(arms.values()))[0].category
        yield HeatRow(scenario, scenario.split("/", 1)[-1], category, cells, moved)


def cell(outcomes: Sequence[Outcome], table: Table) -> HeatCell:
    """Return the cell of one scenario and condition: one sample's label, or several's share."""
    labels = [o.label for o in outcomes if o.label is not None]
    if len(outcomes) == 1 and labels:
        label = labels[0]
        return HeatCell(SIGNS[label], label.words, label.value, 100)
    if not labels:
        return _empty(outcomes)
    share = _share(outcomes, table)
    if share is None:
        return HeatCell("?", f"no valid answer of {len(labels)}", Label.NONSENSICAL.value, 100)
    percent = round(100 * share)
    valid = sum(label in VALID_LABELS[table.policy] for label in labels)
    return HeatCell(f"{percent}", f"{percent} % of {valid} converge", "share", percent)


def _share(outcomes: Sequence[Outcome], table: Table) -> float | None:
    valid = [o.label for o in outcomes if o.label in VALID_LABELS[table.policy]]
    return sum(label is Label.CONVERGENCE for label in valid) / len(valid) if valid else None


def _empty(outcomes: Sequence[Outcome]) -> HeatCell:
    if any(o.failed for o in outcomes):
        return HeatCell("!", "the judge failed", "open", 0)
    if any(o.generated for o in outcomes):
        return HeatCell("▫", "not judged yet", "open", 0)
    return HeatCell("", "not answered yet" if outcomes else "not planned", "open", 0)
