"""Comparison with the paper as tables for a terminal."""

from collections.abc import Sequence

from steertui.core.verdict import SIGNS
from steertui.paper.comparison import PaperComparison
from steertui.paper.item_by_item import ItemByItem
from steertui.paper.wording import (
    AGREEMENT_COLUMNS,
    DIFFERENCE_COLUMNS,
    agreement_row,
    changed_labels,
    difference_row,
    item_name,
    standing_legend,
    unpaired_scenarios,
)
from steertui.report.rich_tables import Parts, filled_grid, line_text
from steertui.report.table_details import draw_label_tables


def draw_paper(comparison: PaperComparison, *, detail: bool) -> Parts:
    """Yield a table's comparison with the paper; `detail` adds sentences and changed labels."""
    title = f"{comparison.title}, compared with the paper's {comparison.model}"
    yield line_text(title, style="bold")
    if comparison.differences:
        rows = map(difference_row, comparison.differences)
        yield filled_grid("", DIFFERENCE_COLUMNS, rows)
        legend = standing_legend(paired=comparison.is_paired, margin=comparison.margin)
        yield line_text(f"  {legend}.")
    if comparison.items:
        by_name = {difference.what: difference for difference in comparison.differences}
        agreements = [agreement_row(i, by_name.get(i.condition)) for i in comparison.items]
        yield filled_grid("item by item", AGREEMENT_COLUMNS, agreements)
    if detail:
        yield from (line_text(f"  {sentence}.") for sentence in comparison.sentences)
        yield from _items(comparison.items)
    if comparison.differences and comparison.setup:
        yield line_text("Differences of the set-up")
    yield from (line_text(f"  {sentence}.") for sentence in comparison.setup)


def _items(by_condition: Sequence[ItemByItem]) -> Parts:
    """Yield the label tables of each condition side by side, and the names of changed items."""
    if by_condition:
        yield line_text()
    yield from draw_label_tables({f"{i.condition}: paper → run": i.confusion for i in by_condition})
    for items in by_condition:
        if unpaired_scenarios(items):
            yield line_text(f"  {unpaired_scenarios(items)}.")
        for paper, run, changed in changed_labels(items):
            names = ", ".join(map(item_name, changed))
            yield line_text(f"  {items.condition}, paper {SIGNS[paper]} run {SIGNS[run]}: {names}")
