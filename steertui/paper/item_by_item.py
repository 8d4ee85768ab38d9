"""A Replication: a run's labels beside the paper's own, item by item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from steertui.core.outcome import Outcome, outcomes_by_condition
from steertui.core.verdict import Label
from steertui.stats.agreement import Agreement, confusion_matrix, measure_agreement
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts

Items = Mapping[tuple[str, str], Label]
"""The paper's labels by condition and scenario: one answer each."""


@dataclass(frozen=True, slots=True)
class Differing:
    """An item whose label is not the paper's; `sample` counts from 0."""

    scenario: str
    sample: int
    paper: Label
    run: Label


@dataclass(frozen=True, slots=True)
class ItemByItem:
    """One condition's labels beside the paper's, over the scenarios that both have.

    Attributes:
        scenarios: that both have labelled; with several samples each is compared with the one
            label of the paper.
        agreement: over all those items; limits clustered by scenario.
        confusion: row the paper's label, column the run's, in `Label`'s order.
        differing: the items whose labels differ, in planned order.
        only_run: scenarios that the run has labelled and the paper has not.
        only_paper: the other way round.
    """

    condition: str
    scenarios: int
    agreement: Agreement
    confusion: tuple[tuple[int, ...], ...]
    differing: tuple[Differing, ...]
    only_run: int
    only_paper: int


def item_by_item(outcomes: Iterable[Outcome], items: Items) -> tuple[ItemByItem, ...]:
    """Return each condition that both have, in planned order."""
    known = {condition for condition, _ in items}
    arms = outcomes_by_condition(o for o in outcomes if o.condition in known)
    return tuple(_condition(name, own, items) for name, own in arms.items())


def _condition(name: str, outcomes: Iterable[Outcome], items: Items) -> ItemByItem:
    labelled = [(o, o.label) for o in outcomes if o.label is not None]
    both = [(o, items[name, o.scenario], run) for o, run in labelled if (name, o.scenario) in items]
    pairs = [(paper, run) for _, paper, run in both]
    here = {o.scenario for o, _ in labelled}
    there = {scenario for condition, scenario in items if condition == name}
    return ItemByItem(
        name, len(here & there), measure_agreement(pairs, [o.scenario for o, _, _ in both]),
        confusion_matrix(pairs),
        tuple(Differing(o.scenario, o.sample, p, r) for o, p, r in both if p is not r),
        len(here - there), len(there - here),
    )  # fmt: skip


def cells_of(items: Items, policy: Policy) -> dict[str, ScenarioCounts]:
    """Return by condition which scenarios converge in the paper, of the valid ones."""
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for (condition, scenario), label in items.items():
        if label in VALID_LABELS[policy]:
            converged = int(label is Label.CONVERGENCE)
            found.setdefault(condition, {})[scenario] = converged, 1
    return dict(found)
