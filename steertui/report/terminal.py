"""A summary as tables and sentences for a terminal."""

from collections.abc import Iterator, Mapping, Sequence

from rich.text import Text

from steertui.analysis.comparisons import Comparison, compare_tables
from steertui.analysis.formatting import (
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    count_text,
    gap_columns,
    gap_text,
    marked_rate,
    over_categories_sentence,
    rate_interval,
    rate_percent,
    table_title,
    unjudged_sentence,
)
from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.verdict import SIGNS, Label
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
from steertui.report import agreement_tables
from steertui.report.rich_tables import (
    Grid,
    Parts,
    add_row,
    filled_grid,
    line_text,
    side_by_side,
    titled_grid,
)
from steertui.stats.rate import Policy

COUNT_COLUMNS = {
    "planned": "planned",
    "answered": "generated",
    "truncated": "truncated",
    "judged": "judged",
    "failed": "failed",
    "unjudged": "unjudged",
}
"""Attributes of `TrialCounts` by their headings."""


def draw(summary: Summary, *, detail: bool = False, paper: Sequence[PaperComparison] = ()) -> Parts:
    """Yield the report of a summary; tables of the demo checkpoint are marked.

    `detail` adds each table's counts and categories, and the comparisons between tables.
    """
    if not summary.tables:
        yield line_text(NO_EXPERIMENT)
    for remark in summary.findings:
        yield line_text(f"! {remark}", style="bold yellow")
        yield line_text()
    for table in summary.tables:
        mark = " (demo: means nothing about real models)" if table.is_stand_in else ""
        yield line_text(f"{table_title(table)}{mark}; rates in percent", style="bold")
        if table.policy is not Policy.PAPER:
            yield line_text(f"{POLICY_DESCRIPTIONS[table.policy]}.")
        if table.judge_sentence:
            yield line_text(f"{table.judge_sentence}.", style="" if table.is_reliable else "yellow")
        yield _rates(table)
        yield from _sentences(table)
        if detail:
            yield from _detail(table)
        yield line_text()
    for comparison in compare_tables(summary) if detail else ():
        yield from _comparison(comparison)
        yield line_text()
    for panel in judge_panels(summary) if detail else ():
        yield line_text(f"Judges on {panel.title}", style="bold")
        yield from agreement_tables.draw(panel.agreement)
        yield line_text()
    for paper_comparison in paper:
        yield from _paper_comparison(paper_comparison)
        yield line_text()
    for notice in summary.notices:
        yield line_text(f"! {notice}", style="bold yellow")


def _rates(table: Table) -> Grid:
    rows = [
        (
            row.condition,
            str(row.counts.judged),
            str(row.convergence.total),
            marked_rate(row),
            rate_interval(row.convergence),
            rate_percent(row.refusal),
            rate_percent(row.nonsense),
        )
        for row in table.rows
    ]
    columns = ("n", "valid", "convergence", "95 % interval", "refusal", "nonsense")
    return filled_grid("condition", columns, rows)


def _sentences(table: Table) -> Iterator[Text]:
    if table.judge is None:
        yield line_text(unjudged_sentence(table))
        return
    for place, comparison in enumerate(table.comparisons):
        gap = comparison.gap
        title = f"gap {gap.first} − {gap.second}: {gap_text(gap)}"
        yield line_text(title, style="bold" if place == 0 else "")
        yield line_text(f"  {comparison.sentence}.")
    for warning in table.warnings:
        yield line_text(f"! {warning}", style="yellow")


def _detail(table: Table) -> Parts:
    yield line_text()
    yield _counts(table)
    transitions = {f"{one} → {two}": counts for (one, two), counts in table.transitions.items()}
    if transitions:
        yield line_text()
        yield from _label_tables(transitions)
    if table.judge and len(table.categories) > 1:
        yield line_text()
        yield _categories(table)
        sentence = over_categories_sentence(table)
        if sentence:
            yield line_text(f"{sentence}.")


def _counts(table: Table) -> Grid:
    rows = []
    for row in table.rows:
        counts = [count_text(getattr(row.counts, name)) for name in COUNT_COLUMNS.values()]
        labels = "/".join(str(getattr(row.counts, label.value)) for label in Label)
        rows.append((row.condition, *counts, labels))
    return filled_grid("trials", [*COUNT_COLUMNS, "/".join(SIGNS.values())], rows)


def _categories(table: Table) -> Grid:
    rows = []
    for category in table.categories:
        rates = [rate_percent(row.convergence) for row in category.rows]
        rows.append((category.name, *rates, *gap_columns(category.comparison)))
    columns = [*table.conditions, "gap", "95 % interval", "p (Holm)"]
    return filled_grid("by category", columns, rows)


def _comparison(comparison: Comparison) -> Parts:
    yield line_text(comparison.title, style="bold")
    for line in comparison.lines:
        yield line_text(f"  {line.comparison.sentence}.")


def _paper_comparison(comparison: PaperComparison) -> Parts:
    title = f"{comparison.title}, compared with the paper's {comparison.model}"
    yield line_text(title, style="bold")
    if comparison.differences:
        rows = map(difference_row, comparison.differences)
        yield filled_grid("", DIFFERENCE_COLUMNS, rows)
        yield line_text(f"  {standing_legend(paired=comparison.is_paired)}.")
    if comparison.items:
        by_name = {difference.what: difference for difference in comparison.differences}
        agreements = [agreement_row(i, by_name.get(i.condition)) for i in comparison.items]
        yield line_text()
        yield filled_grid("item by item", AGREEMENT_COLUMNS, agreements)
    yield from (line_text(f"  {sentence}.") for sentence in comparison.sentences)
    yield from _items(comparison.items)
    if comparison.differences and comparison.setup:
        yield line_text("Differences of the set-up")
    yield from (line_text(f"  {sentence}.") for sentence in comparison.setup)


def _items(by_condition: Sequence[ItemByItem]) -> Parts:
    """Yield the label tables of each condition side by side, and the names of changed items."""
    if by_condition:
        yield line_text()
    yield from _label_tables({f"{i.condition}: paper → run": i.confusion for i in by_condition})
    for items in by_condition:
        if unpaired_scenarios(items):
            yield line_text(f"  {unpaired_scenarios(items)}.")
        for paper, run, changed in changed_labels(items):
            names = ", ".join(map(item_name, changed))
            yield line_text(f"  {items.condition}, paper {SIGNS[paper]} run {SIGNS[run]}: {names}")


def _label_tables(by_title: Mapping[str, Sequence[Sequence[int]]]) -> Parts:
    """Yield 4 x 4 tables of counts by label, side by side."""
    if by_title:
        yield side_by_side([_label_table(title, counts) for title, counts in by_title.items()])


def _label_table(title: str, counts: Sequence[Sequence[int]]) -> Grid:
    table = titled_grid(title, *(SIGNS[label] for label in Label))
    for label, numbers in zip(Label, counts, strict=True):
        add_row(table, SIGNS[label], [*map(str, numbers)])
    return table
