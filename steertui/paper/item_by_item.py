"""Item-by-item comparison of a run's labels with the paper's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from steertui.core.outcome import Outcome, outcomes_by_condition
from steertui.core.verdict import Label
from steertui.stats.agreement import Agreement, confusion_matrix, measure_agreement
from steertui.stats.rate import VALID_LABELS, Policy, ScenarioCounts

PaperItems = Mapping[tuple[str, str], Label]
"""The paper's labels by condition and scenario; one answer each."""


@dataclass(frozen=True, slots=True)
class ChangedLabel:
    """An item whose label differs from the paper's; `sample` counts from 0."""

    scenario: str
    sample: int
    paper: Label
    run: Label


@dataclass(frozen=True, slots=True)
class ItemByItem:
    """Labels of one condition against the paper's, over the scenarios that both labelled.

    Attributes:
        condition: the condition's name.
        scenarios: number of scenarios that both labelled. Each sample of the run is compared with
            the paper's one label.
        agreement: over all these items; limits clustered by scenario.
        confusion: paper's labels (rows) by the run's (columns), in `Label`'s order.
        changed: items with different labels, in planned order.
        only_run: number of scenarios that only the run labelled.
        only_paper: number of scenarios that only the paper labelled.
    """

    condition: str
    scenarios: int
    agreement: Agreement
    confusion: tuple[tuple[int, ...], ...]
    changed: tuple[ChangedLabel, ...]
    only_run: int
    only_paper: int


def compare_items(outcomes: Iterable[Outcome], items: PaperItems) -> tuple[ItemByItem, ...]:
    """Return the comparison of each condition that both have, in planned order."""
    conditions = {condition for condition, _ in items}
    groups = outcomes_by_condition(o for o in outcomes if o.condition in conditions)
    return tuple(_compare_condition(name, own, items) for name, own in groups.items())


def _compare_condition(name: str, outcomes: Iterable[Outcome], items: PaperItems) -> ItemByItem:
    labelled = [(o, o.label) for o in outcomes if o.label is not None]
    both = [(o, items[name, o.scenario], run) for o, run in labelled if (name, o.scenario) in items]
    pairs = [(paper, run) for _, paper, run in both]
    run_scenarios = {o.scenario for o, _ in labelled}
    paper_scenarios = {scenario for condition, scenario in items if condition == name}
    return ItemByItem(
        condition=name,
        scenarios=len(run_scenarios & paper_scenarios),
        agreement=measure_agreement(pairs, [o.scenario for o, _, _ in both]),
        confusion=confusion_matrix(pairs),
        changed=tuple(
            ChangedLabel(o.scenario, o.sample, paper, run)
            for o, paper, run in both
            if paper is not run
        ),
        only_run=len(run_scenarios - paper_scenarios),
        only_paper=len(paper_scenarios - run_scenarios),
    )


def item_counts(items: PaperItems, policy: Policy) -> dict[str, ScenarioCounts]:
    """Return by condition the paper's scenarios with a valid label, and which converge."""
    counts: dict[str, dict[str, tuple[int, int]]] = {}
    for (condition, scenario), label in items.items():
        if label in VALID_LABELS[policy]:
            converged = int(label is Label.CONVERGENCE)
            counts.setdefault(condition, {})[scenario] = converged, 1
    return dict(counts)
