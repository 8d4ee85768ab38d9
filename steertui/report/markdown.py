"""A summary as Markdown: the tables of the terminal report."""

from collections.abc import Iterator, Sequence

from steertui.analysis import judge_panels as judges
from steertui.analysis.category_rows import category_columns, category_legend, category_row
from steertui.analysis.caveats import HEADING, MORE
from steertui.analysis.comparisons import compare_tables
from steertui.analysis.declaration import declaration_sentences
from steertui.analysis.formatting import (
    COUNT_COLUMNS,
    NO_EXPERIMENT,
    POLICY_DESCRIPTIONS,
    comparison_columns,
    comparison_legend,
    comparison_row,
    count_row,
    family_words,
    over_categories_sentence,
    rate_row,
    table_title,
    transitions_note,
    unjudged_sentence,
)
from steertui.analysis.gap_details import detail_sentences
from steertui.analysis.judge_panels import JudgePanel, judge_panels
from steertui.analysis.model_series import (
    SERIES_COLUMNS,
    ModelSeries,
    model_series,
    series_notes,
    series_rows,
)
from steertui.analysis.primary_gaps import several_settings_sentences
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.analysis.variance import factor_sentences
from steertui.core.verdict import Label
from steertui.paper.comparison import PaperComparison
from steertui.paper.item_by_item import ItemByItem
from steertui.paper.limits import report_limits
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
from steertui.report.markdown_groups import group_lines
from steertui.report.markdown_tables import escape, escaped_table, plain_table

RATE_COLUMNS = (
    "condition",
    "n",
    "valid",
    "convergence %",
    "95 % interval",
    "refusal %",
    "nonsense %",
)


def render(summary: Summary, paper: Sequence[PaperComparison] = ()) -> str:
    """Return the report of a summary, notices first."""
    lines = [f"> **{escape(notice)}**\n" for notice in summary.notices]
    if not summary.tables:
        lines.append(escape(NO_EXPERIMENT))
    sentences = several_settings_sentences(summary.complete, summary.tables)
    lines += [f"{escape(sentence)}.\n" for sentence in sentences]
    for series in model_series(summary):
        lines += [*_series(series)]
    for table in summary.tables:
        lines.append(f"## {escape(table_title(table))}\n")
        lines.append(f"{POLICY_DESCRIPTIONS[table.policy]}.\n")
        lines += [f"{escape(table.judge_sentence)}.\n"] if table.judge_sentence else []
        lines += [*group_lines(table.groups)]
        lines += [*_rates(table), "", *_comparisons(table), ""]
        lines += [*_counts(table), "", *_categories(table)]
        for (first, second), counts in table.transitions.items():
            lines += [*_label_table(f"{first} ↓ {second} →", counts), ""]
        if table.transitions and transitions_note(table):
            lines += [f"{transitions_note(table)}.", ""]
    for comparison in compare_tables(summary):
        lines += [f"## {escape(comparison.title)}\n"]
        lines += [f"- {escape(line.comparison.sentence)}." for line in comparison.lines]
        lines.append("")
    for panel in judge_panels(summary):
        lines += [*_panel(panel), ""]
    for paper_comparison in paper:
        lines += [*_paper_comparison(paper_comparison), ""]
    lines += _remarks(summary)
    return "\n".join(lines).rstrip() + "\n"


def _series(series: ModelSeries) -> Iterator[str]:
    yield f"## {escape(series.title)}\n"
    yield from escaped_table(("model", *SERIES_COLUMNS), series_rows(series))
    yield ""
    yield from (f"- {escape(sentence)}." for sentence in series_notes(series))
    yield ""


def _rates(table: Table) -> Iterator[str]:
    rows = []
    for row in table.rows:
        name, *numbers = rate_row(row)
        rows.append((escape(name), *numbers))
    return plain_table(RATE_COLUMNS, rows)


def _comparisons(table: Table) -> Iterator[str]:
    """Yield the comparisons, the sentences of the declared ones, and the warnings."""
    if table.judge is None:
        yield unjudged_sentence(table)
    results = table.comparisons
    if results:
        rows = [(*comparison_row(result), family_words(result)) for result in results]
        yield from escaped_table(("comparison", *comparison_columns(results), "test"), rows)
        yield f"\n{escape(comparison_legend(results))}.\n"
    yield from (f"- {escape(arm.sentence)}." for arm in table.arms)
    yield from (f"- {escape(sentence)}." for sentence in factor_sentences(table))
    for result in results:
        yield f"- {' '.join(f'{escape(sentence)}.' for sentence in detail_sentences(result))}"
    yield from (f"- ⚠ {escape(warning.text)}." for warning in table.warnings)


def _remarks(summary: Summary) -> Iterator[str]:
    for declaration in summary.declarations:
        yield f"## {escape(f'Declared analysis of experiment {declaration.experiment}')}\n"
        yield from (f"{escape(s)}.\n" for s in declaration_sentences(declaration))
    lines = report_limits(summary)
    if lines:
        yield f"## {HEADING}\n"
        yield from (f"- {escape(line)}." for line in lines)
        yield f"\n{MORE}."


def _counts(table: Table) -> Iterator[str]:
    rows = [(escape(name), *counts) for name, *counts in map(count_row, table.rows)]
    return plain_table(("number of trials", *COUNT_COLUMNS), rows)


def _categories(table: Table) -> Iterator[str]:
    categories = table.categories
    if table.judge is None or len(categories) < 2:
        return
    heading = ("by category", *category_columns(table, table.conditions))
    yield from escaped_table(heading, [category_row(c, table.conditions) for c in categories])
    for sentence in (category_legend(table), over_categories_sentence(table)):
        yield f"\n{escape(sentence)}." if sentence else ""
    yield ""


def _panel(panel: JudgePanel) -> Iterator[str]:
    yield f"## {escape(f'Judges on {panel.title}')}\n"
    yield f"{escape(judges.alpha_sentence(panel.agreement))}."
    for pair in panel.agreement.comparisons:
        yield f"\n### {escape(judges.pair_title(pair))}\n"
        if not pair.overall.items:
            yield "No answer is labelled by both."
            continue
        yield from escaped_table(("", *judges.JUDGE_COLUMNS), judges.agreement_rows(pair))
        yield ""
        yield from escaped_table(judges.confusion_columns(pair), judges.confusion_rows(pair))
        corrected = [*judges.corrected_rows(pair)]
        if corrected:
            yield ""
            yield from escaped_table(("convergence %", *judges.CORRECTED_COLUMNS), corrected)
            yield f"\n{judges.CORRECTION_CAVEAT}."


def _paper_comparison(comparison: PaperComparison) -> Iterator[str]:
    title = f"{comparison.title}, compared with the paper's {comparison.model}"
    yield f"## {escape(title)}\n"
    if comparison.differences:
        rows = map(difference_row, comparison.differences)
        yield from escaped_table(("", *DIFFERENCE_COLUMNS), rows)
        yield f"\n{standing_legend(paired=comparison.is_paired, margin=comparison.margin)}.\n"
    if comparison.items:
        by_name = {difference.what: difference for difference in comparison.differences}
        agreements = [agreement_row(i, by_name.get(i.condition)) for i in comparison.items]
        yield from escaped_table(("item by item", *AGREEMENT_COLUMNS), agreements)
        yield ""
    yield from (f"- {escape(sentence)}." for sentence in comparison.sentences)
    for items in comparison.items:
        yield from _items(items)
    if comparison.differences and comparison.setup:
        yield "\nDifferences of the set-up:\n"
    yield from (f"- {escape(sentence)}." for sentence in comparison.setup)


def _items(items: ItemByItem) -> Iterator[str]:
    yield ""
    yield from _label_table(f"{items.condition}: paper ↓ run →", items.confusion)
    yield ""
    if unpaired_scenarios(items):
        yield f"- {escape(unpaired_scenarios(items))}."
    for paper, run, changed in changed_labels(items):
        names = ", ".join(map(item_name, changed))
        line = f"{items.condition}, paper {paper.words}, run {run.words}: {names}"
        yield f"- {escape(line)}"


def _label_table(name: str, counts: Sequence[Sequence[int]]) -> Iterator[str]:
    """Yield a 4 x 4 table of counts by label."""
    rows = [(label.words, *map(str, numbers)) for label, numbers in zip(Label, counts, strict=True)]
    return escaped_table((name, *(label.words for label in Label)), rows)
