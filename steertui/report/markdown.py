"""A Summary as Markdown: the tables of the terminal, for a paper's appendix or an issue."""

from collections.abc import Iterator

from steertui.report.summary import Summary, Table
from steertui.report.words import limits, percent, points, title

HEAD = ("condition", "n", "valid", "convergence %", "95 % interval", "refusal %", "nonsense %")


def write(summary: Summary) -> str:
    """Return the whole summary; what a stand-in's numbers mean stands first."""
    lines = [f"> **{notice}**\n" for notice in summary.notices]
    for table in summary.tables:
        lines += [f"## {cell(title(table))}\n", *_rates(table), "", *_below(table), ""]
    return "\n".join(lines).rstrip() + "\n"


def cell(text: str) -> str:
    """Return a text that Markdown takes as it is, in one cell."""
    for mark in "\\`*_[]<>|#":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def _rates(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(HEAD)} |"
    yield f"| --- |{' ---: |' * (len(HEAD) - 1)}"
    for row in table.rows:
        counts = str(row.ledger.judged), str(row.ledger.valid)
        rates = percent(row.convergence), limits(row.convergence)
        others = percent(row.refusal), percent(row.nonsense)
        yield f"| {' | '.join((cell(row.condition), *counts, *rates, *others))} |"


def _below(table: Table) -> Iterator[str]:
    for comparison in table.comparisons:
        g = comparison.gap
        yield f"- **{cell(g.first)} − {cell(g.second)}**: {points(g)}. {cell(comparison.sentence)}."
    yield from (f"- ⚠ {cell(warning)}" for warning in table.warnings)
