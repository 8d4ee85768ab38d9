"""A summary as LaTeX: booktabs tables and a methods paragraph, to be included in a paper."""

import re
from collections.abc import Iterable, Iterator, Sequence

from steertui.analysis.formatting import (
    MARK_LEGEND,
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    RATE_COLUMNS,
    comparison_columns,
    comparison_legend,
    comparison_row,
    family_words,
    is_marked,
    rate_row,
    stand_in_note,
    table_title,
    unjudged_sentence,
)
from steertui.analysis.gap_details import material_sensitivity
from steertui.analysis.model_series import (
    SERIES_COLUMNS,
    ModelSeries,
    model_series,
    series_legend,
    series_rows,
    slope_sentences,
)
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.paper.comparison import PaperComparison
from steertui.paper.limits import report_limits
from steertui.paper.wording import DIFFERENCE_COLUMNS, difference_row, standing_legend
from steertui.report.latex_groups import group_lines
from steertui.report.latex_tables import escape, latex_table
from steertui.report.methods_text import Methods
from steertui.stats.rate import Policy

PREAMBLE = (
    r"% Needs \usepackage{booktabs,amssymb}. Entries of the citations:",
    "% steertui report DB --format bibtex",
    "",
)


def render(summary: Summary, methods: Methods, paper: Sequence[PaperComparison] = ()) -> str:
    """Return tables of rates and comparisons with their warnings, the methods, and the limits.

    Notices on the numbers come first, as text of the document.
    """
    lines = [*PREAMBLE]
    lines += [rf"\textbf{{{escape(notice)}.}}" + "\n" for notice in _full_stops(summary.notices)]
    if not summary.tables:
        lines.append(escape(NO_EXPERIMENT))
    for series in model_series(summary):
        lines += [*_series(series)]
    for table in summary.tables:
        lines += [*_rates(table), *_comparisons(table), *group_lines(table.groups)]
        lines += _warnings(table)
    for comparison in paper:
        lines += _paper(comparison)
    if summary.tables:
        lines.append(r"\paragraph{Methods.}")
        lines += [f"{_with_citations(paragraph)}\n" for paragraph in methods.paragraphs]
        lines += _limits(summary)
    return "\n".join(lines).rstrip() + "\n"


def _with_citations(paragraph: str) -> str:
    """Return an escaped paragraph with its citations as commands."""
    return re.sub(r" ?\[@([a-z0-9]+)\]", r"~\\cite{\1}", escape(paragraph))


def _full_stops(sentences: Iterable[str]) -> Iterator[str]:
    return (sentence.rstrip(".") for sentence in sentences)


def _series(series: ModelSeries) -> Iterator[str]:
    title = f"{series.title}; rates in percent, gaps in points"
    notes = [title, *series_legend(series), *slope_sentences(series)]
    yield from latex_table(("model", *SERIES_COLUMNS), series_rows(series), notes)


def _rates(table: Table) -> Iterator[str]:
    notes = [f"{table_title(table)}; rates in percent", *_stand_in(table)]
    notes += [] if table.policy is Policy.PAPER else [POLICY_DESCRIPTIONS[table.policy]]
    notes += [table.judge_sentence] if table.judge_sentence else []
    notes += [MARK_LEGEND] if any(map(is_marked, table.rows)) else []
    notes += [] if table.judge else [unjudged_sentence(table).rstrip(".")]
    yield from latex_table(("condition", *RATE_COLUMNS), map(rate_row, table.rows), notes)


def _comparisons(table: Table) -> Iterator[str]:
    results = table.comparisons
    if not results:
        return
    rows = [(*comparison_row(result), family_words(result)) for result in results]
    head = ("comparison", *comparison_columns(results), "test")
    title = f"Differences of convergence rates, {table_title(table)}"
    notes = [title, *_stand_in(table), comparison_legend(results)]
    yield from latex_table(head, rows, notes)


def _stand_in(table: Table) -> list[str]:
    """Return the note on the demo for a caption, as a float may be far from the notices."""
    note = stand_in_note(table)
    return [note[:1].upper() + note[1:]] if note else []


def _warnings(table: Table) -> Iterator[str]:
    """Yield what changes gaps materially, and the warnings of a table, as a paragraph."""
    sentences = [*material_sensitivity(table), *(warning.text for warning in table.warnings)]
    if sentences:
        yield rf"\paragraph{{{escape(f'Warnings, {table_title(table)}')}.}}"
        yield r"\begin{itemize}"
        yield from (rf"\item {escape(sentence)}." for sentence in sentences)
        yield r"\end{itemize}" + "\n"


def _paper(comparison: PaperComparison) -> Iterator[str]:
    """Yield the differences from the paper's rates, and what differs in the set-up."""
    if comparison.differences:
        yield from _differences(comparison)
    remarks = [*comparison.sentences, *comparison.setup]
    if remarks:
        title = f"{comparison.title}, compared with the paper's {comparison.model}"
        yield rf"\paragraph{{{escape(title)}.}}"
        yield " ".join(f"{escape(remark)}." for remark in remarks) + "\n"


def _differences(comparison: PaperComparison) -> Iterator[str]:
    legend = standing_legend(paired=comparison.is_paired, margin=comparison.margin)
    title = f"{comparison.title}, compared with the paper's {comparison.model}"
    rows = [difference_row(difference) for difference in comparison.differences]
    yield from latex_table(("", *DIFFERENCE_COLUMNS), rows, [title, legend])


def _limits(summary: Summary) -> Iterator[str]:
    lines = report_limits(summary)
    if lines:
        yield r"\paragraph{Limits.}"
        yield " ".join(f"{escape(line)}." for line in lines)
