"""A Summary as Markdown: the tables of the terminal, for a paper's appendix or an issue."""

from collections.abc import Iterable, Iterator, Sequence

from steertui.analysis import judge_panels as judges
from steertui.analysis.comparisons import compare_tables
from steertui.analysis.formatting import (
    COUNT_COLUMNS,
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
from steertui.analysis.judge_panels import JudgePanel, judge_panels
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.core.verdict import Label
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

HEAD = ("condition", "n", "valid", "convergence %", "95 % interval", "refusal %", "nonsense %")


def write(summary: Summary, paper: Sequence[PaperComparison] = ()) -> str:
    """Return the whole summary; what a stand-in's numbers mean stands first."""
    lines = [f"> **{cell(notice)}**\n" for notice in summary.notices]
    if not summary.tables:
        lines.append(cell(NO_EXPERIMENT))
    for table in summary.tables:
        lines += [f"## {cell(table_title(table))}\n", f"{POLICY_DESCRIPTIONS[table.policy]}.\n"]
        lines += [*_rates(table), "", *_below(table), ""]
        lines += [*_ledger(table), "", *_categories(table)]
        for (first, second), moved in table.transitions.items():
            lines += [*_square(f"{first} ↓ {second} →", moved), ""]
    for contrast in compare_tables(summary):
        lines += [f"## {cell(contrast.title)}\n"]
        lines += [f"- {cell(line.comparison.sentence)}." for line in contrast.lines]
        lines.append("")
    for bench in judge_panels(summary):
        lines += [*_bench(bench), ""]
    for beside in paper:
        lines += [*_beside(beside), ""]
    return "\n".join(lines).rstrip() + "\n"


def cell(text: str) -> str:
    """Return a text that Markdown takes as it is, in one cell."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _rates(table: Table) -> Iterator[str]:
    rows = []
    for row in table.rows:
        counts = str(row.counts.judged), str(row.convergence.total)
        rates = marked_rate(row), rate_interval(row.convergence)
        others = rate_percent(row.refusal), rate_percent(row.nonsense)
        rows.append((cell(row.condition), *counts, *rates, *others))
    return _table(HEAD, rows)


def _below(table: Table) -> Iterator[str]:
    if table.judge is None:
        yield unjudged_sentence(table)
    for comparison in table.comparisons:
        g = comparison.gap
        name = f"{cell(g.first)} − {cell(g.second)}"
        yield f"- **{name}**: {gap_text(g)}. {cell(comparison.sentence)}."
    yield from (f"- ⚠ {cell(warning)}" for warning in table.warnings)


def _ledger(table: Table) -> Iterator[str]:
    rows = [
        (
            cell(row.condition),
            *(count_text(getattr(row.counts, name)) for name in COUNT_COLUMNS.values()),
        )
        for row in table.rows
    ]
    return _table(("where the trials stand", *COUNT_COLUMNS), rows)


def _categories(table: Table) -> Iterator[str]:
    found = table.categories
    if table.judge is None or len(found) < 2:
        return
    names = [cell(name) for name in table.conditions]
    rows = [
        (
            cell(c.name),
            *(rate_percent(row.convergence) for row in c.rows),
            *gap_columns(c.comparison),
        )
        for c in found
    ]
    yield from _table(("by category", *names, "gap", "95 % interval", "p (Holm)"), rows)
    said = over_categories_sentence(table)
    yield from ("", f"{said}." if said else "", "")


def _bench(bench: JudgePanel) -> Iterator[str]:
    yield f"## {cell(f'Judges on {bench.title}')}\n"
    yield f"{judges.alpha_sentence(bench.agreement)}."
    for c in bench.agreement.comparisons:
        yield f"\n### {cell(judges.pair_title(c))}\n"
        if not c.overall.items:
            yield "No answer is labelled by both."
            continue
        yield from _cells(("", *judges.JUDGE_COLUMNS), judges.agreement_rows(c))
        yield ""
        yield from _cells(judges.confusion_columns(c), judges.confusion_rows(c))
        corrected = [*judges.corrected_rows(c)]
        if corrected:
            yield ""
            yield from _cells(("convergence %", *judges.CORRECTED_COLUMNS), corrected)
            yield f"\n{judges.CORRECTION_CAVEAT}."


def _beside(beside: PaperComparison) -> Iterator[str]:
    head = f"{beside.title}, beside the paper's {beside.model}"
    yield f"## {cell(head)}\n"
    if beside.differences:
        yield from _cells(("", *DIFFERENCE_COLUMNS), map(difference_row, beside.differences))
        yield f"\n{standing_legend(paired=beside.is_paired)}.\n"
    if beside.items:
        by_name = {found.what: found for found in beside.differences}
        rows = [agreement_row(found, by_name.get(found.condition)) for found in beside.items]
        yield from _cells(("item by item", *AGREEMENT_COLUMNS), rows)
        yield ""
    yield from (f"- {cell(said)}." for said in beside.sentences)
    for found in beside.items:
        yield from _items(found)
    if beside.differences and beside.setup:
        yield "\nWhat differs in the set-up:\n"
    yield from (f"- {cell(said)}." for said in beside.setup)


def _items(found: ItemByItem) -> Iterator[str]:
    yield ""
    yield from _square(f"{found.condition}: paper ↓ run →", found.confusion)
    yield ""
    if unpaired_scenarios(found):
        yield f"- {cell(unpaired_scenarios(found))}."
    for paper, run, own in changed_labels(found):
        names = ", ".join(map(item_name, own))
        said = f"{found.condition}, paper {paper.words}, run {run.words}: {names}"
        yield f"- {cell(said)}"


def _square(name: str, counts: Sequence[Sequence[int]]) -> Iterator[str]:
    every = zip(Label, counts, strict=True)
    rows = [(label.words, *map(str, row)) for label, row in every]
    return _cells((name, *(label.words for label in Label)), rows)


def _cells(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Return a table whose headings and first column are not Markdown yet; the rest is numbers."""
    return _table([*map(cell, head)], [[cell(name), *numbers] for name, *numbers in rows])
