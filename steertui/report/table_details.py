"""Details of one table for a terminal: trials by state, label transitions, categories."""

from collections.abc import Mapping, Sequence

from steertui.analysis.category_rows import category_columns, category_legend, category_row
from steertui.analysis.formatting import (
    count_text,
    over_categories_sentence,
    transitions_note,
)
from steertui.analysis.table import Table
from steertui.core.verdict import SIGNS, Label
from steertui.report.rich_tables import Grid, Parts, SideBySide, filled_grid, line_text

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
        yield _categories(table)
        for sentence in filter(None, (category_legend(table), over_categories_sentence(table))):
            yield line_text(f"{sentence}.")


def _counts(table: Table) -> Grid:
    rows = []
    for row in table.rows:
        counts = [count_text(getattr(row.counts, name)) for name in COUNT_COLUMNS.values()]
        labels = "/".join(str(getattr(row.counts, label.value)) for label in Label)
        rows.append((row.condition, *counts, labels))
    return filled_grid("trials", [*COUNT_COLUMNS, "/".join(SIGNS.values())], rows)


def _categories(table: Table) -> Grid:
    """Return rates and primary gap by category; of many conditions only those of the gap."""
    conditions = table.conditions
    if table.primary and len(conditions) > MAX_CONDITIONS:
        conditions = [table.primary.gap.first, table.primary.gap.second]
    rows = [category_row(category, conditions) for category in table.categories]
    columns = category_columns(table, conditions)
    return filled_grid(CATEGORY_TITLE, columns, rows, most=None if table.primary else WIDTH)


def draw_label_tables(by_title: Mapping[str, Sequence[Sequence[int]]]) -> Parts:
    """Yield 4 x 4 tables of counts by label, side by side."""
    if by_title:
        yield SideBySide(tuple(_label_table(title, counts) for title, counts in by_title.items()))


def _label_table(title: str, counts: Sequence[Sequence[int]]) -> Grid:
    rows = [(SIGNS[label], *map(str, row)) for label, row in zip(Label, counts, strict=True)]
    return Grid(("", *(SIGNS[label] for label in Label)), tuple(rows), title)
