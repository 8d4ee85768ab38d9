"""Rates and gap of a table as text: numbers, bars of the intervals, and the paper's figures."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.cells import cell_len
from rich.text import Text

from steertui.analysis.formatting import (
    SHARED_MARK,
    is_marked,
    rate_interval,
    rate_percent,
    shared_legend,
)
from steertui.analysis.interval_text import interval_cell
from steertui.analysis.summary import Summary
from steertui.analysis.table import RateRow, Table
from steertui.core.verdict import Label
from steertui.printable import one_line
from steertui.report.figures import paper_rates, paper_words
from steertui.stats.gap import mover_limits
from steertui.stats.rate import Estimate, Policy, Rate
from steertui.tui.widgets.bars import interval_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.layout import hanging_indent, shorten_middle

GAP_AXIS = (-100.0, 100.0)
"""Ends of the axis of gaps, in percentage points."""

MIN_BAR = 12
MAX_BAR = 40

NUMBERS = 22
"""Columns of the rate and its interval."""

OTHERS = {"refusal": 8, "nonsense": 9}
"""Columns of the other rates, by their heads."""

BY_IMPORTANCE = ("nonsense", "refusal")
"""The other rates in the order in which they get room: nonsense changes the denominator."""

MIN_NAME = 10
"""Columns that a condition's name keeps if space is short."""

COUNTS_HEAD = "valid/n"
"""Heading of the valid answers, over which the convergence rate is, and all labelled answers."""

PAPER = 6
"""Columns of the paper's rate."""


@dataclass(frozen=True, slots=True)
class _Columns:
    """Widths of a table's columns.

    Attributes:
        name: of the condition.
        counts: of the valid answers and all answers.
        bar: of the interval's bar, 0 for none.
        has_paper: whether there is a column with the paper's rate.
        others: heads of the other rates that fit.
    """

    name: int
    counts: int
    bar: int
    has_paper: bool
    others: tuple[str, ...]

    @property
    def left_out(self) -> list[str]:
        """Heads of the rates that do not fit."""
        return [head for head in OTHERS if head not in self.others]


UNJUDGED = "No judge has labelled an answer so far."
"""Sentence on a table without labels; the line of the state counts the answers."""


def draw_rates(summary: Summary, width: int, colours: Palette) -> Text:
    """Return all tables of a summary, `width` columns wide."""
    text = Text()
    for table in summary.tables:
        judge = f"judged by {one_line(table.judge.name)}" if table.judge else "unjudged"
        text.append(one_line(table.setting.name), "bold")
        text.append(f"  temperature {table.setting.temperature:g}, {judge}\n", colours.quiet)
        if table.judge_words and not table.is_reliable:
            text.append(f"! {table.judge_words}\n", colours.warning)
        text.append_text(draw_table(table, width, colours)).append("\n")
        if table.judge is None:
            text.append(f"{UNJUDGED}\n", colours.quiet)
        text.append("\n")
    text.rstrip()
    return text


def draw_table(table: Table, width: int, colours: Palette) -> Text:
    """Return the rates and the gap of one table, without its title."""
    return Text("\n").join(_lines(table, width, colours))


def _lines(table: Table, width: int, colours: Palette) -> Iterator[Text]:
    paper = paper_rates(table)
    columns = _columns(table, width, has_paper=bool(paper))
    yield _header(columns, colours)
    for row in table.rows:
        yield _row(row, columns, paper.get(row.condition), colours)
    if columns.left_out:
        note = f"too narrow for: {', '.join(columns.left_out)}"
        yield hanging_indent(Text(), Text(note, colours.quiet), width)
    if table.judge:
        yield from _gap(table, paper, width, colours)
    is_plain = table.policy is Policy.PAPER and not (table.primary and table.primary.is_shared)
    if paper and not is_plain:
        what = "rates and gap" if table.policy is not Policy.PAPER else "gap"
        note = f"paper: {paper_words(what, table)}"
        yield hanging_indent(Text(), Text(note, colours.quiet), width)


def _columns(table: Table, width: int, *, has_paper: bool) -> _Columns:
    counts = max(len(COUNTS_HEAD), *(len(_counts_text(row)) for row in table.rows)) + 1
    needed = counts + NUMBERS + (PAPER if has_paper else 0)
    longest = max(8, *(cell_len(one_line(row.condition)) for row in table.rows)) + 1
    name = max(min(longest, MIN_NAME), min(longest, width - needed))
    free = width - needed - name
    fitting = []
    for head in BY_IMPORTANCE:
        if OTHERS[head] <= free:
            fitting.append(head)
            free -= OTHERS[head]
    bar = min(MAX_BAR, free - 1)
    return _Columns(
        name=name,
        counts=counts,
        bar=bar if bar >= MIN_BAR else 0,
        has_paper=has_paper,
        others=tuple(head for head in OTHERS if head in fitting),
    )


def _header(columns: _Columns, colours: Palette) -> Text:
    bar = f"{'':{columns.bar}} " if columns.bar else ""
    paper = f"{'paper':>{PAPER}}" if columns.has_paper else ""
    text = f"{'':{columns.name}}{COUNTS_HEAD:>{columns.counts}}  {'convergence':20}{bar}"
    others = "".join(f"{head:>{OTHERS[head]}}" for head in columns.others)
    return Text(f"{text}{others}{paper}", colours.faint)


def _row(row: RateRow, columns: _Columns, published: Rate | None, colours: Palette) -> Text:
    rate = row.convergence
    name = shorten_middle(one_line(row.condition), columns.name - 1)
    text = Text().append(name, colours.condition(row.condition))
    text.append(" " * (columns.name - cell_len(name)))
    text.append(f"{_counts_text(row):>{columns.counts}}", colours.quiet)
    text.append(f"  {rate_percent(rate):>5}", "bold")
    text.append("* " if is_marked(row) else "  ", colours.warning)
    text.append(f"{rate_interval(rate):13}", colours.quiet)
    if columns.bar:
        text.append_text(_rate_bar(rate, columns.bar, colours)).append(" ")
    others = {"refusal": row.refusal, "nonsense": row.nonsense}
    for head in columns.others:
        text.append(f"{rate_percent(others[head]):>{OTHERS[head]}}")
    if columns.has_paper:
        value = published.value if published else None
        text.append(f"{'–' if value is None else f'{100 * value:.1f}':>{PAPER}}", colours.quiet)
    return text


def _counts_text(row: RateRow) -> str:
    return f"{row.valid}/{row.counts.judged}"


def _rate_bar(rate: Rate, width: int, colours: Palette) -> Text:
    if rate.value is None or rate.low is None or rate.high is None:
        return Text("┈" * width, colours.faint)
    return interval_bar(
        100 * rate.value,
        (100 * rate.low, 100 * rate.high),
        (0, 100),
        width,
        style=colours.labels[Label.CONVERGENCE],
        axis_style=colours.faint,
    )


def _gap(table: Table, paper: Mapping[str, Rate], width: int, colours: Palette) -> Iterator[Text]:
    if not table.primary:
        return
    gap, test, is_shared = table.primary.gap, table.primary.test, table.primary.is_shared
    pair = f"gap {one_line(gap.first)} − {one_line(gap.second)}"
    yield Text()
    if gap.points is None:
        yield Text(f"{pair}: {_missing_side(table)}", colours.quiet)
        return
    text = Text(f"{pair}  ", "bold")
    text.append(f"{gap.points:+.1f}", f"bold {colours.blue}")
    yield text.append(f"{SHARED_MARK * is_shared} points {interval_cell(test)}", colours.quiet)
    if is_shared:
        legend = Text(shared_legend([table.primary]), colours.quiet)
        yield hanging_indent(Text(), legend, width)
    bar_width = max(20, min(61, width - 16))
    if test.low is not None and test.high is not None:
        bar = interval_bar(
            gap.points,
            (test.low, test.high),
            GAP_AXIS,
            bar_width,
            style=f"bold {colours.blue}",
            axis_style=colours.faint,
        )
        yield bar.append("  this run", colours.quiet)
    published = paper_gap(paper, gap.first, gap.second)
    if published:
        yield _paper_bar(published, bar_width, colours)
    yield Text(
        f"{'-100':<{bar_width // 2 - 1}}0{'+100':>{bar_width - bar_width // 2}}", colours.faint
    )


def _missing_side(table: Table) -> str:
    """Return which sides of the gap have no valid answer, and whether labels may follow."""
    assert table.primary
    sides = {table.primary.gap.first, table.primary.gap.second}
    empty = [row for row in table.rows if row.condition in sides and not row.valid]
    names = " and ".join(one_line(row.condition) for row in empty) or "one condition"
    is_open = any(row.counts.pending or row.counts.unjudged for row in empty)
    return f"no valid answer under {names}{' yet' if is_open else ''}"


def _paper_bar(gap: Estimate, width: int, colours: Palette) -> Text:
    bar = interval_bar(
        gap.value,
        (gap.low, gap.high),
        GAP_AXIS,
        width,
        style=colours.quiet,
        axis_style=colours.faint,
        point="◆",
    )
    return bar.append(f"  paper {gap.value:+.1f}", colours.quiet)


def paper_gap(paper: Mapping[str, Rate], first: str, second: str) -> Estimate | None:
    """Return the paper's gap in points with unpaired 95 % limits; None unless both rates exist."""
    if first not in paper or second not in paper:
        return None
    one = paper[first].estimate
    two = paper[second].estimate
    if one is None or two is None:
        return None
    return Estimate(one.value - two.value, *mover_limits(one, two, 0.0)).percent()
