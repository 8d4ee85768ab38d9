"""Table rows and sentences of the comparison with the paper, shared by every report format."""

from collections.abc import Iterator

from steertui.analysis.formatting import kappa_columns, p_value_text, percentage
from steertui.analysis.interval_text import interval_cell
from steertui.core.verdict import Label
from steertui.paper.fidelity import EQUIVALENCE_MARGIN, PaperDifference
from steertui.paper.item_by_item import ChangedLabel, ItemByItem
from steertui.units import quantity, verb

DIFFERENCE_COLUMNS = ("run", "paper", "difference", "interval", "verdict")
"""Column headings of `difference_row`, after the condition."""

AGREEMENT_COLUMNS = (
    "same label",
    "percent",
    "kappa",
    "95 % interval",
    "run only",
    "paper only",
    "p (Holm)",
)
"""Column headings of `agreement_row`, after the condition.

"run only" and "paper only" count the scenarios that converge in one of the two alone.
"""


def standing_legend(*, paired: bool, margin: float = EQUIVALENCE_MARGIN) -> str:
    """Return the explanation of the verdicts in a difference table, without a full stop."""
    within = f"the 90 % interval of the difference is within ±{margin:g} points"
    if not paired:
        return (
            f"Equivalent: {within}; differs: the 95 % interval, with run and paper taken as "
            "independent, excludes 0; inconclusive: neither, the usual result"
        )
    return (
        f"Equivalent: {within} and the score test over the scenarios shows it; differs: the exact "
        "test, paired by scenario, rejects equality after Holm; inconclusive: neither, the usual "
        "result. Intervals have the level of that test"
    )


def difference_row(difference: PaperDifference) -> tuple[str, ...]:
    """Return the condition (or "gap") and the values for `DIFFERENCE_COLUMNS`."""
    test = difference.test
    independent = f"[{difference.low:+.1f}, {difference.high:+.1f}]"
    return (
        difference.what,
        f"{difference.run:.1f}",
        f"{difference.paper:.1f}",
        f"{difference.points:+.1f}",
        interval_cell(test) if test else independent,
        str(difference.standing),
    )


def agreement_row(labels: ItemByItem, difference: PaperDifference | None) -> tuple[str, ...]:
    """Return the condition and the values for `AGREEMENT_COLUMNS`.

    The last three are empty if `difference` has no paired test.
    """
    agreement = labels.agreement
    row = (
        labels.condition,
        f"{agreement.agreed} of {agreement.items}",
        percentage(agreement.agreed, agreement.items),
        *kappa_columns(agreement),
    )
    if difference is None or difference.paired is None or difference.test is None:
        return (*row, "", "", "")
    gap, p = difference.paired.gap, difference.test.p
    return (*row, str(gap.only_first), str(gap.only_second), "" if p is None else p_value_text(p))


def changed_labels(labels: ItemByItem) -> Iterator[tuple[Label, Label, list[ChangedLabel]]]:
    """Yield the changed labels by (paper's label, run's label), in `Label`'s order."""
    for paper in Label:
        for run in Label:
            items = [d for d in labels.changed if (d.paper, d.run) == (paper, run)]
            if items:
                yield paper, run, items


def item_name(item: ChangedLabel) -> str:
    """Return the scenario's name without its pack; from the second sample on with " #n"."""
    name = item.scenario.split("/", 1)[-1]
    return f"{name} #{item.sample + 1}" if item.sample else name


def unpaired_scenarios(labels: ItemByItem) -> str:
    """Return a sentence on scenarios that only one side labelled; "" if there are none.

    The sentence has no full stop.
    """
    missing = []
    if labels.only_run:
        missing.append(f"{labels.only_run} of the run's scenarios have no label of the paper")
    if labels.only_paper:
        missing.append(f"{labels.only_paper} of the paper's scenarios have no label in the run")
    if not missing:
        return ""
    number = quantity(labels.scenarios, "scenario")
    both = f"{labels.condition}: {number} {verb(labels.scenarios, 'has', 'have')} both labels"
    return f"{both}; {', '.join(missing)}"
