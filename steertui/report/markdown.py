"""A summary as Markdown: the tables of the terminal report."""

import re
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
from steertui.printable import one_line

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
    for table in summary.tables:
        lines.append(f"## {escape(table_title(table))}\n")
        lines.append(f"{POLICY_DESCRIPTIONS[table.policy]}.\n")
        lines += [f"{escape(table.judge_sentence)}.\n"] if table.judge_sentence else []
        lines += [*_rates(table), "", *_sentences(table), ""]
        lines += [*_counts(table), "", *_categories(table)]
        for (first, second), counts in table.transitions.items():
            lines += [*_label_table(f"{first} ↓ {second} →", counts), ""]
    for comparison in compare_tables(summary):
        lines += [f"## {escape(comparison.title)}\n"]
        lines += [f"- {escape(line.comparison.sentence)}." for line in comparison.lines]
        lines.append("")
    for panel in judge_panels(summary):
        lines += [*_panel(panel), ""]
    for paper_comparison in paper:
        lines += [*_paper_comparison(paper_comparison), ""]
    return "\n".join(lines).rstrip() + "\n"


def escape(text: str) -> str:
    """Return text in one line that Markdown shows literally, also in a table cell."""
    return re.sub(r"[\\`*_\[\]<>|#&~$!]", r"\\\g<0>", one_line(text))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"| --- |{' ---: |' * (len(head) - 1)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _rates(table: Table) -> Iterator[str]:
    rows = []
    for row in table.rows:
        columns = (
            escape(row.condition),
            str(row.counts.judged),
            str(row.convergence.total),
            marked_rate(row),
            rate_interval(row.convergence),
            rate_percent(row.refusal),
            rate_percent(row.nonsense),
        )
        rows.append(columns)
    return _table(RATE_COLUMNS, rows)


def _sentences(table: Table) -> Iterator[str]:
    if table.judge is None:
        yield unjudged_sentence(table)
    for comparison in table.comparisons:
        gap = comparison.gap
        name = f"{escape(gap.first)} − {escape(gap.second)}"
        yield f"- **{name}**: {gap_text(gap)}. {escape(comparison.sentence)}."
    yield from (f"- ⚠ {escape(warning)}" for warning in table.warnings)


def _counts(table: Table) -> Iterator[str]:
    rows = [
        (
            escape(row.condition),
            *(count_text(getattr(row.counts, name)) for name in COUNT_COLUMNS.values()),
        )
        for row in table.rows
    ]
    return _table(("number of trials", *COUNT_COLUMNS), rows)


def _categories(table: Table) -> Iterator[str]:
    categories = table.categories
    if table.judge is None or len(categories) < 2:
        return
    names = [escape(name) for name in table.conditions]
    rows = [
        (
            escape(c.name),
            *(rate_percent(row.convergence) for row in c.rows),
            *gap_columns(c.comparison),
        )
        for c in categories
    ]
    yield from _table(("by category", *names, "gap", "95 % interval", "p (Holm)"), rows)
    sentence = over_categories_sentence(table)
    yield from ("", f"{escape(sentence)}." if sentence else "", "")


def _panel(panel: JudgePanel) -> Iterator[str]:
    yield f"## {escape(f'Judges on {panel.title}')}\n"
    yield f"{escape(judges.alpha_sentence(panel.agreement))}."
    for pair in panel.agreement.comparisons:
        yield f"\n### {escape(judges.pair_title(pair))}\n"
        if not pair.overall.items:
            yield "No answer is labelled by both."
            continue
        yield from _escaped_table(("", *judges.JUDGE_COLUMNS), judges.agreement_rows(pair))
        yield ""
        yield from _escaped_table(judges.confusion_columns(pair), judges.confusion_rows(pair))
        corrected = [*judges.corrected_rows(pair)]
        if corrected:
            yield ""
            yield from _escaped_table(("convergence %", *judges.CORRECTED_COLUMNS), corrected)
            yield f"\n{judges.CORRECTION_CAVEAT}."


def _paper_comparison(comparison: PaperComparison) -> Iterator[str]:
    title = f"{comparison.title}, compared with the paper's {comparison.model}"
    yield f"## {escape(title)}\n"
    if comparison.differences:
        rows = map(difference_row, comparison.differences)
        yield from _escaped_table(("", *DIFFERENCE_COLUMNS), rows)
        yield f"\n{standing_legend(paired=comparison.is_paired)}.\n"
    if comparison.items:
        by_name = {difference.what: difference for difference in comparison.differences}
        agreements = [agreement_row(i, by_name.get(i.condition)) for i in comparison.items]
        yield from _escaped_table(("item by item", *AGREEMENT_COLUMNS), agreements)
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
    return _escaped_table((name, *(label.words for label in Label)), rows)


def _escaped_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Yield a table whose headings and first column need escaping; the other cells are numbers."""
    escaped_rows = [[escape(name), *numbers] for name, *numbers in rows]
    return _table([*map(escape, head)], escaped_rows)
