"""Rows of the table of categories, the same in every report format."""

from collections.abc import Sequence

from steertui.analysis.formatting import (
    MARK_LEGEND,
    SHARED_MARK,
    gap_columns,
    interval_heading,
    interval_legend,
    is_marked,
    marked_rate,
    shared_legend,
)
from steertui.analysis.table import CategoryGap, Table
from steertui.stats.matched_pairs import PairedPosterior

POSTERIOR_LEGEND = (
    "P(gap > 0): posterior probability over the pairs, Jeffreys' prior, not corrected for the "
    "number of categories; it is no p value"
)
"""Explanation of the last column."""


def category_legend(table: Table) -> str:
    """Return the meaning of the marks and of the gap's columns, without a full stop, or ""."""
    results = [c.comparison for c in table.categories if c.comparison]
    marked = any(is_marked(row) for c in table.categories for row in c.rows)
    parts = (
        MARK_LEGEND * marked,
        f"Categories: {shared_legend(results)}" if shared_legend(results) else "",
        interval_legend(results),
        _posterior_legend(table) if results else "",
    )
    return ". ".join(filter(None, parts))


def _posterior_legend(table: Table) -> str:
    """Return the meaning of the last column, or why it is empty."""
    if any(category.posterior for category in table.categories):
        return POSTERIOR_LEGEND
    if any(
        category.comparison.gap.samples > 1 for category in table.categories if category.comparison
    ):
        return "P(gap > 0) is not computed with several samples per scenario"
    return ""


def category_columns(table: Table, conditions: Sequence[str]) -> tuple[str, ...]:
    """Return the headings of `category_row`, after the name; those of a gap if there is one."""
    results = [c.comparison for c in table.categories if c.comparison]
    if not results:
        return (*conditions,)
    columns = ("gap", interval_heading(results), "p (Holm)", "pairs", "P(gap > 0)")
    return (*conditions, *columns)


def category_row(category: CategoryGap, conditions: Sequence[str]) -> tuple[str, ...]:
    """Return name, rates under some conditions, and the values of the gap of a category."""
    by_condition = {row.condition: marked_rate(row) for row in category.rows}
    rates = (by_condition.get(name, "–") for name in conditions)
    if category.comparison is None:
        return (category.name, *rates)
    gap = gap_columns(category.comparison)
    name = f"{category.name}{SHARED_MARK * category.comparison.is_shared}"
    return (name, *rates, *gap, category.pairs, _posterior_text(category.posterior))


def _posterior_text(posterior: PairedPosterior | None) -> str:
    """Return P(gap > 0) such as "0.994", "> 0.999" or "< 0.001"; "" without a posterior."""
    if posterior is None:
        return ""
    if posterior.above_zero < 0.001:
        return "< 0.001"
    return "> 0.999" if posterior.above_zero > 0.999 else f"{posterior.above_zero:.3f}"
