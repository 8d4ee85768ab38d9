"""Text of a table on the Results screen: sentences, groups, rates, warnings, models, limits."""

from collections.abc import Iterable, Iterator

from rich.text import Text

from steertui.analysis.caveats import HEADING
from steertui.analysis.declaration import declaration_sentences
from steertui.analysis.formatting import POLICY_DESCRIPTIONS, table_title, unjudged_sentence
from steertui.analysis.gap_details import short_sensitivity
from steertui.analysis.missing_trials import left_out_sentence
from steertui.analysis.model_series import SERIES_COLUMNS, model_series, series_notes, series_rows
from steertui.analysis.primary_gaps import several_settings_sentences
from steertui.analysis.summary import Summary
from steertui.analysis.table import Table
from steertui.paper.limits import report_limits
from steertui.printable import one_line
from steertui.stats.rate import Policy
from steertui.tui.results.groups import draw_grid, draw_groups
from steertui.tui.results.rates import draw_table
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent
from steertui.tui.widgets.page import PAGES
from steertui.tui.widgets.screen_words import in_screen_words

MAX_RATES_WIDTH = 130
"""Maximum columns of the rates."""

HERE = PAGES["results"]

WHOLE_REPORT = "The whole report: r. It compares models and judges, too, after d."


def _line(text: str) -> str:
    """Return a text in one line and in the words of the screens."""
    return one_line(in_screen_words(text, here=HERE))


def draw_table_text(summary: Summary, index: int, width: int, colours: Palette) -> Text:
    """Return what is said of one table of a summary, and of all of them, `width` columns wide."""
    table = summary.tables[index]
    lines = [
        *_title(summary, index, width, colours),
        *_notices(summary, table, width, colours),
        *_comparisons(table, width, colours),
        *_rates(table, width, colours),
        *_warnings((warning.text for warning in table.warnings), width, colours),
        *_models(summary, width, colours),
        *_limits(summary, width, colours),
    ]
    return Text("\n").join(lines)


def _title(summary: Summary, index: int, width: int, colours: Palette) -> Iterator[Text]:
    table = summary.tables[index]
    text = Text().append(one_line(table_title(table)), "bold")
    if len(summary.tables) > 1:
        text.append(f"   table {index + 1} of {len(summary.tables)}", colours.quiet)
    text.append(f"   policy {table.policy}", colours.quiet)
    yield hanging_indent(Text(), text, width)
    yield Text()


def _notices(summary: Summary, table: Table, width: int, colours: Palette) -> Iterator[Text]:
    """Yield what qualifies all numbers: notices, the policy, the worth of the judge."""
    sign = Text("! ", f"bold {colours.warning}")
    for notice in summary.notices:
        yield hanging_indent(sign, Text(_line(notice), colours.warning), width)
        yield Text()
    if table.policy is not Policy.PAPER:
        policy = Text(f"{POLICY_DESCRIPTIONS[table.policy]}.", colours.quiet)
        yield hanging_indent(Text(), policy, width)
        yield Text()
    if table.judge_sentence:
        lead = Text("  ") if table.is_reliable else sign
        yield hanging_indent(lead, Text(f"{_line(table.judge_sentence)}."), width)
        yield Text()


def _comparisons(table: Table, width: int, colours: Palette) -> Iterator[Text]:
    """Yield the sentences of the comparisons and what changes them materially."""
    for index, comparison in enumerate(table.comparisons):
        lead = Text("▷ " if index else "▶ ", colours.blue)
        sentence = Text(f"{_line(comparison.sentence)}.", "" if index else "bold")
        yield hanging_indent(lead, sentence, width)
    for arm in table.arms:
        yield hanging_indent(Text("▷ ", colours.blue), Text(f"{_line(arm.sentence)}."), width)
    yield from _warnings(short_sensitivity(table), width, colours)
    if not table.judge:
        yield hanging_indent(Text(), Text(_line(unjudged_sentence(table)), colours.quiet), width)
    if table.comparisons or not table.judge:
        yield Text()


def _rates(table: Table, width: int, colours: Palette) -> Iterator[Text]:
    groups = draw_groups(table.groups, width, colours)
    if groups:
        yield groups
    alone = table.ungrouped
    if alone.rows:
        yield draw_table(alone, min(width, MAX_RATES_WIDTH), colours)
        yield Text()
    left_out = left_out_sentence(table)
    if left_out:
        yield from _warnings([left_out], width, colours)
        yield Text()


def _warnings(texts: Iterable[str], width: int, colours: Palette) -> Iterator[Text]:
    sign = Text("! ", f"bold {colours.warning}")
    for text in texts:
        yield hanging_indent(sign, Text(f"{_line(text)}."), width)


def _models(summary: Summary, width: int, colours: Palette) -> Iterator[Text]:
    """Yield what is said of all models: primary comparisons, sizes, stages of training."""
    lead = Text("▷ ", colours.blue)
    for sentence in several_settings_sentences(summary.complete, summary.tables):
        yield Text()
        yield hanging_indent(lead, Text(f"{_line(sentence)}."), width)
    for series in model_series(summary):
        yield Text()
        yield hanging_indent(Text(), Text(one_line(series.title), "bold"), width)
        yield from draw_grid([("", *SERIES_COLUMNS), *series_rows(series)], width, colours)
        for note in filter(None, series_notes(series)):
            yield hanging_indent(lead, Text(f"{_line(note)}."), width)


def _limits(summary: Summary, width: int, colours: Palette) -> Iterator[Text]:
    """Yield the declared analysis, what the numbers do not say, and where the rest is."""
    for declaration in summary.declarations:
        for sentence in declaration_sentences(declaration):
            yield Text()
            yield hanging_indent(Text(), Text(f"{_line(sentence)}."), width)
    lines = report_limits(summary)
    if not lines:
        return
    yield Text()
    yield Text(HEADING, "bold")
    for line in lines:
        yield hanging_indent(Text("  "), Text(f"{_line(line)}.", colours.quiet), width)
    yield Text()
    yield hanging_indent(Text(), Text(WHOLE_REPORT, colours.quiet), width)
