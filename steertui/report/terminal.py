"""A Summary as rich tables and sentences."""

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
from steertui.report import agreement_tables as concord
from steertui.report.rich_tables import Grid, Parts, add, filled, grid, side_by_side, titled
from steertui.stats.rate import Policy

LABELS = "/".join(SIGNS.values())
"""The order in which a ledger's labels stand."""


def draw(summary: Summary, *, detail: bool = False, paper: Sequence[PaperComparison] = ()) -> Parts:
    """Yield the whole summary for a console; numbers of a stand-in are marked as such.

    `detail` adds each table's ledger and categories, and what compares the tables.
    """
    if not summary.tables:
        yield Text(NO_EXPERIMENT)
    for table in summary.tables:
        mark = " (demo: means nothing about real models)" if table.is_stand_in else ""
        yield Text(f"{table_title(table)}{mark}; rates in percent", style="bold")
        if table.policy is not Policy.PAPER:
            yield Text(f"{POLICY_DESCRIPTIONS[table.policy]}.")
        yield _rates(table)
        yield from _below(table)
        if detail:
            yield from _detail(table)
        yield Text()
    for contrast in compare_tables(summary) if detail else ():
        yield from _contrast(contrast)
        yield Text()
    for bench in judge_panels(summary) if detail else ():
        yield Text(f"Judges on {bench.title}", style="bold")
        yield from concord.draw(bench.agreement)
        yield Text()
    for beside in paper:
        yield from _beside(beside)
        yield Text()
    for notice in summary.notices:
        yield Text(f"! {notice}", style="bold yellow")


def _rates(table: Table) -> Grid:
    made = grid("condition", "n", "valid", "convergence", "95 % interval", "refusal", "nonsense")
    for row in table.rows:
        rate = row.convergence
        rates = (
            marked_rate(row),
            rate_interval(rate),
            rate_percent(row.refusal),
            rate_percent(row.nonsense),
        )
        add(made, row.condition, (str(row.counts.judged), str(rate.total), *rates))
    return made


def _below(table: Table) -> Iterator[Text]:
    if table.judge is None:
        yield Text(unjudged_sentence(table))
        return
    for place, comparison in enumerate(table.comparisons):
        g = comparison.gap
        head = f"gap {g.first} − {g.second}: {gap_text(g)}"
        yield Text(head, style="bold" if place == 0 else "")
        yield Text(f"  {comparison.sentence}.")
    for warning in table.warnings:
        yield Text(f"! {warning}", style="yellow")


def _detail(table: Table) -> Parts:
    ledger = grid("trials", "planned", "answered", "cut off", "judged", "failed", "unread", LABELS)
    for row in table.rows:
        n = row.counts
        counts = n.planned, n.generated, n.truncated, n.judged, n.failed, n.unjudged
        labels = n.convergence, n.no_convergence, n.safety_refusal, n.nonsensical
        add(ledger, row.condition, [*map(count_text, counts), "/".join(map(str, labels))])
    yield Text()
    yield ledger
    moved = {f"{one} → {two}": moved for (one, two), moved in table.transitions.items()}
    if moved:
        yield Text()
        yield from _squares(moved)
    categories = table.categories if table.judge else ()
    if len(categories) < 2:
        return
    made = grid("by category", *table.conditions, "gap", "95 % interval", "p (Holm)")
    for category in categories:
        rates = [rate_percent(row.convergence) for row in category.rows]
        add(made, category.name, [*rates, *gap_columns(category.comparison)])
    yield Text()
    yield made
    said = over_categories_sentence(table)
    if said:
        yield Text(f"{said}.")


def _contrast(contrast: Comparison) -> Parts:
    yield Text(contrast.title, style="bold")
    for line in contrast.lines:
        yield Text(f"  {line.comparison.sentence}.")


def _beside(beside: PaperComparison) -> Parts:
    yield Text(f"{beside.title}, beside the paper's {beside.model}", style="bold")
    if beside.differences:
        yield filled("", DIFFERENCE_COLUMNS, map(difference_row, beside.differences))
        yield Text(f"  {standing_legend(paired=beside.is_paired)}.")
    if beside.items:
        by_name = {found.what: found for found in beside.differences}
        rows = (agreement_row(found, by_name.get(found.condition)) for found in beside.items)
        yield Text()
        yield filled("item by item", AGREEMENT_COLUMNS, rows)
    yield from (Text(f"  {said}.") for said in beside.sentences)
    yield from _items(beside.items)
    if beside.differences and beside.setup:
        yield Text("What differs in the set-up")
    yield from (Text(f"  {said}.") for said in beside.setup)


def _items(found: Sequence[ItemByItem]) -> Parts:
    """Draw the labels' tables side by side, and name what differs."""
    if found:
        yield Text()
    yield from _squares({f"{f.condition}: paper → run": f.confusion for f in found})
    for one in found:
        if unpaired_scenarios(one):
            yield Text(f"  {unpaired_scenarios(one)}.")
        for paper, run, own in changed_labels(one):
            names = ", ".join(map(item_name, own))
            yield Text(f"  {one.condition}, paper {SIGNS[paper]} run {SIGNS[run]}: {names}")


def _squares(found: Mapping[str, Sequence[Sequence[int]]]) -> Parts:
    """Draw 4 x 4 tables of labels under their names, side by side."""
    if found:
        yield side_by_side([_square(name, square) for name, square in found.items()])


def _square(name: str, counts: Sequence[Sequence[int]]) -> Grid:
    made = titled(name, *(SIGNS[label] for label in Label))
    for label, row in zip(Label, counts, strict=True):
        add(made, SIGNS[label], [*map(str, row)])
    return made
