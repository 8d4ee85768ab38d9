"""A run beside the paper: deviations, labels item by item, and what differs in the set-up."""

from collections.abc import Iterator
from dataclasses import dataclass

from steertui.analysis.formatting import table_title
from steertui.analysis.sentences import difference_sentence
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table, convergence_counts, count_tests
from steertui.core.instrumentaleval import RAN, covered
from steertui.paper.fidelity import PaperDifference, paper_differences, paper_model, published_cells
from steertui.paper.item_by_item import ItemByItem, cells_of, item_by_item
from steertui.paper.original_labels import PaperLabels, is_own, paper_labels
from steertui.paper.setup_differences import setup_differences
from steertui.store import Store


@dataclass(frozen=True, slots=True)
class PaperComparison:
    """A table beside the paper.

    Attributes:
        table: its place in the summary, from 0.
        title: what the table is about.
        model: the paper's name.
        deviations: by condition, then the gap's; paired where the paper's items are imported.
        items: the labels item by item, by condition; none where they are not imported.
        sentences: what the paired tests say, no full stop.
        setup: what differs, a sentence each, no full stop.
        original: where the paper's own answers are; None where they are not imported, or are the
            table's own.
    """

    table: int
    title: str
    model: str
    deviations: tuple[PaperDifference, ...]
    items: tuple[ItemByItem, ...]
    sentences: tuple[str, ...]
    setup: tuple[str, ...]
    original: PaperLabels | None

    @property
    def is_paired(self) -> bool:
        """Whether run and paper are compared scenario by scenario."""
        return any(found.paired for found in self.deviations)


def compare_with_paper(store: Store, summary: Summary) -> list[PaperComparison]:
    """Return each table that the paper has numbers for, beside them."""
    own = {(t.experiment, t.setting) for t in summary.tables if is_own(t)}
    found = (
        _beside(store, place, table)
        for place, table in enumerate(summary.tables)
        # Where the paper's own labels of these answers are a table, judges are compared with them.
        if is_own(table) or (table.experiment, table.setting) not in own
    )
    return [beside for beside in found if beside]


def _beside(store: Store, place: int, table: Table) -> PaperComparison | None:
    model = paper_model([table.setting.name, table.setting.title])
    if model is None or not table.judge:
        return None
    own = paper_labels(store, table, model)
    if is_own(table):
        said = _own(own)
        return PaperComparison(place, table_title(table), model, (), (), (), (said,), None)
    planned = {o.scenario for o in table.outcomes}
    items = own.items if own else {}
    categories = () if items else covered(planned)
    shared = {scenario for _, scenario in items} or {s for c in categories for s in RAN[c]}
    if not shared and planned.isdisjoint(s for ran in RAN.values() for s in ran):
        return None
    both = [o for o in table.outcomes if o.scenario in shared]
    paper = (
        cells_of(items, table.policy) if items
        else published_cells(model, categories, table.policy)
    )  # fmt: skip
    found = paper_differences(convergence_counts(both, table.policy), paper, paired=bool(items))
    about = *_scope(planned, shared, categories), *_setup(store, table, model, own)
    return PaperComparison(
        place, table_title(table), model, tuple(found), item_by_item(both, items),
        tuple(_sentences(found)), about, own,
    )  # fmt: skip


def _scope(planned: set[str], shared: set[str], categories: tuple[str, ...]) -> Iterator[str]:
    """Say over which scenarios run and paper are compared where these are not just the paper's."""
    every = sum(map(len, RAN.values()))
    if not shared:
        yield (
            f"{len(planned)} scenarios were planned, and of no category all that the paper ran: "
            "its counts, which are published by category, cannot stand beside them; import its "
            "own runs (steertui import-paper), and the same scenarios are compared"
        )
    elif len(planned) != len(shared) or len(shared) != every:
        whole = f", {' and '.join(categories)}" if 0 < len(categories) < len(RAN) else ""
        yield (
            f"{len(planned)} scenarios were planned; compared are the {len(shared)} that are among "
            f"the paper's {every}{whole}"
        )


def _own(own: PaperLabels | None) -> str:
    said = "These are the paper's own answers and labels, imported"
    if own and own.odd:
        return f"{said}; but their counts under {' and '.join(own.odd)} are not the published ones"
    return f"{said}; their counts are the published ones"


def _sentences(found: list[PaperDifference]) -> Iterator[str]:
    paired = [d for d in found if d.paired]
    tests = count_tests([d.paired for d in paired if d.paired])
    for deviation in paired:
        if deviation.paired:
            what = "pro − anti" if deviation.what == "gap" else deviation.what
            yield difference_sentence(deviation.paired, what, deviation.adjusted, tests)


def _setup(store: Store, table: Table, model: str, own: PaperLabels | None) -> Iterator[str]:
    yield from setup_differences(store, table, model)
    if own and own.odd:
        yield (
            f"The runs imported for {' and '.join(own.odd)} have other counts than the published "
            "ones, so nothing is compared with them item by item"
        )
