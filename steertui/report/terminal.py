"""A summary as tables and sentences for a terminal: short by default, everything on demand."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from steertui.analysis.caveats import HEADING, MORE
from steertui.analysis.comparisons import Comparison, compare_tables
from steertui.analysis.declaration import declaration_sentences
from steertui.analysis.formatting import (
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    RATE_COLUMNS,
    comparison_columns,
    comparison_legend,
    comparison_row,
    family_words,
    pair_title,
    rate_row,
    stand_in_note,
    table_title,
    unjudged_sentence,
)
from steertui.analysis.gap_details import detail_sentences, short_sensitivity
from steertui.analysis.judge_panels import judge_panels
from steertui.analysis.missing_trials import left_out_sentence
from steertui.analysis.model_series import model_series
from steertui.analysis.overview import count_warnings, is_short, warning_text
from steertui.analysis.primary_gaps import several_settings_sentences
from steertui.analysis.sentences import GapResult
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.analysis.variance import factor_sentences
from steertui.paper.comparison import PaperComparison
from steertui.paper.limits import report_limits
from steertui.report import agreement_tables
from steertui.report.group_tables import draw_groups
from steertui.report.overview_tables import draw_pairs, draw_primary, draw_series
from steertui.report.paper_tables import draw_paper
from steertui.report.rich_tables import Grid, Parts, filled_grid, line_text
from steertui.report.table_details import draw_details
from steertui.stats.rate import Policy

DETAIL_COMMAND = "steertui report --detail"
"""Command that prints the detailed report."""

DETAILED = "Detailed report, with sentences, counts, categories, all warnings, models compared"
"""What the detailed report adds."""


def draw(
    summary: Summary,
    *,
    detail: bool = False,
    paper: Sequence[PaperComparison] = (),
    detail_key: str = DETAIL_COMMAND,
) -> Parts:
    """Yield the report of a summary; tables of the demo checkpoint are marked.

    The short report has one line per comparison and one per kind of warning. `detail` adds the
    sentence of each comparison, all warnings, counts, categories, and the comparisons between
    tables. The short report says that `detail_key`, a command or a key, shows the detailed one.
    """
    if not summary.tables:
        yield line_text(NO_EXPERIMENT)
    for remark in summary.findings:
        yield line_text(f"! {remark}", style="bold yellow")
        yield line_text()
    yield from _overview(summary)
    if detail or is_short(summary.tables):
        for table in summary.tables:
            yield from _table(table, detail=detail)
            yield line_text()
    else:
        yield from _labels(summary.tables)
        yield from draw_pairs([table.ungrouped for table in summary.tables])
        for table in summary.tables:
            yield from _left_out(table, f"{table_title(table)}: ")
        yield line_text()
        for table in summary.tables:
            if table.groups.covered:
                yield line_text(table_title(table), style="bold")
                yield from draw_groups(table.groups)
                yield line_text()
    if detail:
        yield from _comparisons_between_tables(summary)
    for paper_comparison in paper:
        yield from draw_paper(paper_comparison, detail=detail)
        yield line_text()
    yield from _remarks(summary, "" if detail else detail_key)


def _overview(summary: Summary) -> Parts:
    """Yield the primary comparison of every table, if there are several, and sentences on them."""
    judged = [table for table in summary.tables if table.primary]
    if len(judged) > 1:
        yield from draw_primary(judged)
    sentences = [*several_settings_sentences(summary.complete, summary.tables)]
    yield from (line_text(f"{sentence}.") for sentence in sentences)
    if len(judged) > 1 or sentences:
        yield line_text()
    for series in model_series(summary):
        yield from draw_series(series)


def _labels(tables: Sequence[Table]) -> Parts:
    """Yield what counts as convergence, and what the judges are worth, each sentence once."""
    for policy in dict.fromkeys(table.policy for table in tables):
        if policy is not Policy.PAPER:
            yield line_text(f"{POLICY_DESCRIPTIONS[policy]}.")
    reliable = {table.judge_sentence: table.is_reliable for table in tables if table.judge_sentence}
    for sentence, is_reliable in reliable.items():
        yield line_text(f"{sentence}.", style="" if is_reliable else "yellow")


def _table(table: Table, *, detail: bool) -> Parts:
    note = stand_in_note(table)
    mark = f" ({note})" if note else ""
    yield line_text(f"{table_title(table)}{mark}; rates in percent", style="bold")
    yield from _labels([table])
    shown = table if detail else table.ungrouped
    if shown.rows:
        yield _rates(shown)
    yield from _left_out(table)
    if table.judge is None:
        yield line_text(unjudged_sentence(table))
    yield from _gaps(shown, detail=detail)
    yield from draw_groups(table.groups, detail=detail)
    if detail:
        yield from (line_text(f"! {w.text}.", style="yellow") for w in table.warnings)
        yield from draw_details(table)


def _left_out(table: Table, lead: str = "") -> Parts:
    """Yield which trials are not in the rates of a table; nothing if all are."""
    sentence = left_out_sentence(table)
    if sentence:
        yield line_text(f"! {lead}{sentence}.", style="yellow")


def _rates(table: Table) -> Grid:
    return filled_grid("condition", RATE_COLUMNS, map(rate_row, table.rows))


def _gaps(table: Table, *, detail: bool) -> Parts:
    """Yield the table of the comparisons, and their sentences on demand."""
    results = table.comparisons
    if results:
        columns = (*comparison_columns(results), "test")
        rows = [(*comparison_row(result), family_words(result)) for result in results]
        yield filled_grid("comparison", columns, rows)
        yield line_text(f"{comparison_legend(results)}.")
    yield from (line_text(f"{arm.sentence}.") for arm in table.arms)
    if detail:
        yield from _sentences(results)
        yield from (line_text(f"{sentence}.") for sentence in factor_sentences(table))
    else:
        yield from (line_text(f"! {s}.", style="yellow") for s in short_sensitivity(table))


def _sentences(results: Sequence[GapResult]) -> Iterator[Text]:
    for result in results:
        first, *others = detail_sentences(result)
        yield line_text(f"  {pair_title(result)}: {first}.")
        yield from (line_text(f"    {sentence}.") for sentence in others)


def _comparisons_between_tables(summary: Summary) -> Parts:
    for comparison in compare_tables(summary):
        yield from _comparison(comparison)
        yield line_text()
    for panel in judge_panels(summary):
        yield line_text(f"Judges on {panel.title}", style="bold")
        yield from agreement_tables.draw(panel.agreement)
        yield line_text()


def _comparison(comparison: Comparison) -> Parts:
    yield line_text(comparison.title, style="bold")
    for line in comparison.lines:
        yield line_text(f"  {line.comparison.sentence}.")


def _remarks(summary: Summary, detail_key: str) -> Parts:
    """Yield warnings by kind, the declared analysis, the limits of the numbers, and notices.

    `detail_key` is "" in the detailed report, which has all warnings above.
    """
    for count in count_warnings(summary.tables) if detail_key else ():
        yield line_text(f"! {warning_text(count)}.", style="yellow")
    declared = (s for each in summary.declarations for s in declaration_sentences(each))
    yield from (line_text(f"{sentence}.") for sentence in dict.fromkeys(declared))
    lines = report_limits(summary)
    if lines:
        yield line_text(f"{HEADING} ({MORE})", style="bold")
        yield from (line_text(f"  {line}.") for line in lines)
    if detail_key and any(table.judge for table in summary.tables):
        yield line_text(f"{DETAILED}: {detail_key}.")
    for notice in summary.notices:
        if notice not in summary.findings:  # these come first
            yield line_text(f"! {notice}", style="bold yellow")
