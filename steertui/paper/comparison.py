"""Comparison of a table with the paper: differences, labels item by item, set-up."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steertui.analysis.condition_gaps import convergence_counts
from steertui.analysis.formatting import table_title
from steertui.analysis.sentences import difference_result
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.instrumentaleval import PAPER_SCENARIOS, covered_categories
from steertui.paper.fidelity import (
    EQUIVALENCE_MARGIN,
    PaperDifference,
    paper_differences,
    paper_model,
    published_counts,
)
from steertui.paper.item_by_item import ItemByItem, compare_items, item_counts
from steertui.paper.original_labels import PaperLabels, is_paper_table, paper_labels
from steertui.paper.setup_differences import setup_differences
from steertui.store import Store
from steertui.units import list_text


@dataclass(frozen=True, slots=True)
class PaperComparison:
    """A table compared with the paper.

    Attributes:
        table: index of the table in the summary, from 0.
        title: the table's title.
        model: the paper's name of the model.
        differences: by condition, then the gap's; paired if the paper's items are imported.
        items: labels item by item, by condition; empty if the paper's items are not imported.
        sentences: results of the paired tests, without full stops.
        setup: differences in the set-up, one sentence each, without full stops.
        original: the paper's answers in this database; None if they are not imported, or if the
            table is the paper's own.
        margin: of equivalence, in percentage points.
    """

    table: int
    title: str
    model: str
    differences: tuple[PaperDifference, ...]
    items: tuple[ItemByItem, ...]
    sentences: tuple[str, ...]
    setup: tuple[str, ...]
    original: PaperLabels | None
    margin: float = EQUIVALENCE_MARGIN

    @property
    def is_paired(self) -> bool:
        """Whether run and paper are compared scenario by scenario."""
        return any(difference.paired for difference in self.differences)


def compare_with_paper(store: Store, summary: Summary) -> list[PaperComparison]:
    """Return the comparison of each shown table for which the paper has numbers.

    If the paper's own table of a model setting is in the summary, other judges of its answers are
    compared with it as judges, not here. Numbers are those of all conditions, shown or not.
    """
    paper_settings = {(t.experiment, t.setting) for t in summary.tables if is_paper_table(t)}
    complete = {table.key: table for table in summary.complete}
    margins = {d.experiment: d.comparisons.margin for d in summary.declarations}
    comparisons = []
    for index, table in enumerate(summary.tables):
        if is_paper_table(table) or (table.experiment, table.setting) not in paper_settings:
            margin = margins.get(table.experiment, EQUIVALENCE_MARGIN)
            comparison = _compare(store, index, complete[table.key], margin)
            if comparison:
                comparisons.append(_only(comparison, summary))
    return comparisons


def _only(comparison: PaperComparison, summary: Summary) -> PaperComparison:
    """Return the comparison with the shown conditions alone."""
    shows = summary.selection.shows
    differences = [
        d
        for d in comparison.differences
        if shows(("pro", "anti") if d.what == "gap" else (d.what,))
    ]
    return replace(
        comparison,
        differences=tuple(differences),
        items=tuple(i for i in comparison.items if shows((i.condition,))),
        sentences=tuple(_sentences(differences)),
    )


def _compare(store: Store, index: int, table: Table, margin: float) -> PaperComparison | None:
    model = paper_model([table.setting.name, table.setting.title])
    if model is None or not table.judge or not table.draws_headline:
        return None
    original = paper_labels(store, table, model)
    if is_paper_table(table):
        return _own_comparison(index, table, model, original)
    planned = {outcome.scenario for outcome in table.outcomes}
    items = original.items if original else {}
    categories = () if items else covered_categories(planned)
    shared = {scenario for _, scenario in items} or {
        s for c in categories for s in PAPER_SCENARIOS[c]
    }
    if not shared and planned.isdisjoint(
        s for scenarios in PAPER_SCENARIOS.values() for s in scenarios
    ):
        return None
    paper = published_counts(model, categories, table.policy)
    if items:
        paper = item_counts(items, table.policy)
    outcomes = [outcome for outcome in table.outcomes if outcome.scenario in shared]
    run = convergence_counts(outcomes, table.policy)
    differences = paper_differences(run, paper, paired=bool(items), margin=margin)
    return PaperComparison(
        table=index,
        title=table_title(table),
        model=model,
        differences=tuple(differences),
        items=compare_items(table.outcomes, items),
        sentences=(),
        setup=(
            *_scope(planned, shared, categories),
            *setup_differences(store, table, model),
            *_mismatch(original),
        ),
        original=original,
        margin=margin,
    )


def _own_comparison(
    index: int, table: Table, model: str, original: PaperLabels | None
) -> PaperComparison:
    """Return the comparison of the paper's own answers and labels: a remark alone."""
    remark = "These are the paper's own answers and labels, imported; their counts are as published"
    if original and original.mismatched:
        conditions = list_text(original.mismatched)
        remark = (
            "These are the paper's own answers and labels, imported; but their counts under "
            f"{conditions} are not the published ones"
        )
    return PaperComparison(
        table=index,
        title=table_title(table),
        model=model,
        differences=(),
        items=(),
        sentences=(),
        setup=(remark,),
        original=None,
    )


def _scope(planned: set[str], shared: set[str], categories: tuple[str, ...]) -> Iterator[str]:
    """Yield a sentence on the compared scenarios if they are not exactly the paper's."""
    total = sum(map(len, PAPER_SCENARIOS.values()))
    if not shared:
        yield (
            f"{len(planned)} scenarios were planned, and no category is complete. The paper's "
            "counts are published by category and cannot be compared; import its runs "
            "(steertui import-paper) to compare the same scenarios"
        )
    elif len(planned) != len(shared) or len(shared) != total:
        is_part = 0 < len(categories) < len(PAPER_SCENARIOS)
        names = f", {' and '.join(categories)}" if is_part else ""
        yield (
            f"{len(planned)} scenarios were planned; the comparison covers the {len(shared)} that "
            f"are among the paper's {total}{names}"
        )


def _sentences(differences: Sequence[PaperDifference]) -> Iterator[str]:
    for difference in differences:
        if difference.paired and difference.test:
            what = "pro − anti" if difference.what == "gap" else difference.what
            yield difference_result(difference.paired, difference.test, what).sentence


def _mismatch(original: PaperLabels | None) -> Iterator[str]:
    if original and original.mismatched:
        yield (
            f"The imported runs for {' and '.join(original.mismatched)} have other counts than the "
            "published ones and are not compared item by item"
        )
