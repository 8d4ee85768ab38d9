"""A Summary as Markdown: the tables of the terminal, for a paper's appendix or an issue."""

from collections.abc import Iterator, Sequence

from steertui.agreement import agreement
from steertui.report.beside import Beside
from steertui.report.contrasts import contrasts, judge_pairs
from steertui.report.summary import Summary
from steertui.report.table import Table
from steertui.report.words import (
    DEVIATION,
    LEDGER,
    NOTHING,
    agreement_sentence,
    deviation,
    limits,
    over_categories,
    percent,
    points,
    signed,
    title,
    unread,
)

HEAD = ("condition", "n", "valid", "convergence %", "95 % interval", "refusal %", "nonsense %")


def write(summary: Summary, paper: Sequence[Beside] = ()) -> str:
    """Return the whole summary; what a stand-in's numbers mean stands first."""
    lines = [f"> **{cell(notice)}**\n" for notice in summary.notices]
    if not summary.tables:
        lines.append(cell(NOTHING))
    for table in summary.tables:
        lines += [f"## {cell(title(table))}\n", *_rates(table), "", *_below(table), ""]
        lines += [*_ledger(table), "", *_categories(table)]
    for contrast in contrasts(summary):
        lines += [f"## {cell(contrast.title)}\n"]
        lines += [f"- {cell(line.comparison.sentence)}." for line in contrast.lines]
        lines.append("")
    for arm, first, second, pairs in judge_pairs(summary):
        said = agreement_sentence(agreement(pairs))
        lines += [f"## {cell(f'{first} and {second} on {arm}')}\n", f"{cell(said)}.", ""]
    for beside in paper:
        head = f"{beside.title}, beside the paper's {beside.model}"
        rows = [deviation(found) for found in beside.deviations]
        lines += [f"## {cell(head)}\n", *_table(("", *DEVIATION), rows), ""]
        lines += [*(f"- {cell(said)}." for said in beside.setup), ""]
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
        counts = str(row.ledger.judged), str(row.ledger.valid)
        rates = percent(row.convergence), limits(row.convergence)
        others = percent(row.refusal), percent(row.nonsense)
        rows.append((cell(row.condition), *counts, *rates, *others))
    return _table(HEAD, rows)


def _below(table: Table) -> Iterator[str]:
    if table.judge is None:
        yield unread(table)
    for comparison in table.comparisons:
        g = comparison.gap
        yield f"- **{cell(g.first)} − {cell(g.second)}**: {points(g)}. {cell(comparison.sentence)}."
    yield from (f"- ⚠ {cell(warning)}" for warning in table.warnings)


def _ledger(table: Table) -> Iterator[str]:
    rows = [
        (cell(row.condition), *(str(getattr(row.ledger, name)) for name in LEDGER.values()))
        for row in table.rows
    ]
    return _table(("where the trials stand", *LEDGER), rows)


def _categories(table: Table) -> Iterator[str]:
    found = table.categories
    if table.judge is None or len(found) < 2:
        return
    names = [cell(name) for name in table.conditions]
    rows = [
        (cell(c.name), *(percent(row.convergence) for row in c.rows), *signed(c.comparison))
        for c in found
    ]
    yield from _table(("by category", *names, "gap", "95 % interval", "p (Holm)"), rows)
    said = over_categories(table)
    yield from ("", f"{said}." if said else "", "")
