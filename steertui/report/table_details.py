"""Details of one table for a terminal: trials by state, label transitions, categories."""

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len

from steertui.analysis.category_rows import category_columns, category_legend, category_row
from steertui.analysis.formatting import (
    count_text,
    over_categories_sentence,
    transitions_note,
)
from steertui.analysis.table import Table
from steertui.core.verdict import SIGNS, Label
from steertui.report.rich_tables import (
    Grid,
    Parts,
    add_row,
    filled_grid,
    line_text,
    side_by_side,
    titled_grid,
)

COUNT_COLUMNS = {
    "planned": "planned",
    "answered": "generated",
    "truncated": "truncated",
    "judged": "judged",
    "failed": "failed",
    "unjudged": "unjudged",
}
"""Attributes of `TrialCounts` by their headings."""

CATEGORY_TITLE = "by category"

WIDTH = 80
"""Columns that a table of categories without a gap has at most."""

MAX_CONDITIONS = 4
"""Maximum conditions whose rates fit beside the gap of a category."""


def draw_details(table: Table) -> Parts:
    """Yield counts, label transitions and categories of a table."""
    yield line_text()
    yield _counts(table)
    transitions = {f"{one} → {two}": counts for (one, two), counts in table.transitions.items()}
    if transitions:
        yield line_text()
        yield from draw_label_tables(transitions)
        yield from (line_text(f"{note}.") for note in [transitions_note(table)] if note)
    if table.judge and len(table.categories) > 1:
        yield line_text()
        yield from _categories(table)
        for sentence in filter(None, (category_legend(table), over_categories_sentence(table))):
            yield line_text(f"{sentence}.")


def _counts(table: Table) -> Grid:
    rows = []
    for row in table.rows:
        counts = [count_text(getattr(row.counts, name)) for name in COUNT_COLUMNS.values()]
        labels = "/".join(str(getattr(row.counts, label.value)) for label in Label)
        rows.append((row.condition, *counts, labels))
    return filled_grid("trials", [*COUNT_COLUMNS, "/".join(SIGNS.values())], rows)


def _categories(table: Table) -> Iterator[Grid]:
    """Yield rates and primary gap by category; of many conditions only those of the gap.

    Without a primary comparison the rates of many conditions are in several tables, each narrow
    enough for `WIDTH` columns.
    """
    parts = [table.conditions]
    if table.primary and len(table.conditions) > MAX_CONDITIONS:
        parts = [[table.primary.gap.first, table.primary.gap.second]]
    elif not table.primary:
        names = max(cell_len(category.name) for category in table.categories)
        parts = [*_fitting(table.conditions, WIDTH - max(names, len(CATEGORY_TITLE)))]
    for conditions in parts:
        rows = [category_row(category, conditions) for category in table.categories]
        yield filled_grid(CATEGORY_TITLE, category_columns(table, conditions), rows)


def _fitting(names: Sequence[str], room: int) -> Iterator[list[str]]:
    """Yield the names in groups that fit into `room` columns as headings, with one space each."""
    part: list[str] = []
    for name in names:
        if part and sum(cell_len(each) + 1 for each in (*part, name)) > room:
            yield part
            part = []
        part.append(name)
    yield part


def draw_label_tables(by_title: Mapping[str, Sequence[Sequence[int]]]) -> Parts:
    """Yield 4 x 4 tables of counts by label, side by side."""
    if by_title:
        yield side_by_side([_label_table(title, counts) for title, counts in by_title.items()])


def _label_table(title: str, counts: Sequence[Sequence[int]]) -> Grid:
    table = titled_grid(title, *(SIGNS[label] for label in Label))
    for label, numbers in zip(Label, counts, strict=True):
        add_row(table, SIGNS[label], [*map(str, numbers)])
    return table
