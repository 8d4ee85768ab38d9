"""Rates and the gap as they narrow: numbers, intervals as bars, the paper's beside them."""

from collections.abc import Iterator, Mapping

from rich.text import Text

from steertui.analysis.formatting import is_marked, rate_interval, rate_percent
from steertui.analysis.summary import Summary
from steertui.analysis.table import RateRow, Table
from steertui.core.verdict import Label
from steertui.report.figures import paper_rates
from steertui.stats.gap import mover_limits
from steertui.stats.rate import Estimate, Rate
from steertui.tui.widgets.bars import interval_bar
from steertui.tui.widgets.label_style import Palette
from steertui.tui.widgets.sanitize import one_line

ENDS = (-100.0, 100.0)


def draw_rates(summary: Summary, width: int, colours: Palette) -> Text:
    """Return every table of a summary, as wide as there is room."""
    text = Text()
    for table in summary.tables:
        judge = one_line(table.judge.name) if table.judge else "nobody yet"
        text.append(one_line(table.setting.name), "bold")
        text.append(
            f"  temperature {table.setting.temperature:g}, judged by {judge}\n", colours.quiet
        )
        text.append_text(draw_table(table, width, colours)).append("\n\n")
    text.rstrip()
    return text


def draw_table(table: Table, width: int, colours: Palette) -> Text:
    """Return one table's rates and its gap, without its title."""
    return Text("\n").join(_table(table, width, colours))


def _table(table: Table, width: int, colours: Palette) -> Iterator[Text]:
    paper = paper_rates(table)
    names = max(9, *(len(row.condition) for row in table.rows)) + 1
    bar = max(0, min(40, width - names - 48 - (8 if paper else 0)))
    bar = bar if bar >= 12 else 0
    head = f"{'':{names}}{'n':>4}  {'convergence':20}" + (f"{'':{bar}} " if bar else "")
    yield Text(
        f"{head}{'refusal':>8}{'nonsense':>9}" + (f"{'paper':>8}" if paper else ""), colours.faint
    )
    for row in table.rows:
        yield _row(row, names, bar, paper.get(row.condition), colours, bool(paper))
    if table.judge is None:
        answers = sum(row.counts.generated for row in table.rows)
        yield Text(f"{answers} answers, not judged yet", colours.quiet)
        return
    yield from _gap(table, paper, width, colours)


def _row(
    row: RateRow, names: int, bar: int, published: Rate | None, colours: Palette, has_paper: bool
) -> Text:
    text = Text(f"{one_line(row.condition):{names}}")
    text.append(f"{row.counts.judged:4}", colours.quiet)
    rate = row.convergence
    text.append(f"  {rate_percent(rate):>5}", "bold")
    text.append("* " if is_marked(row) else "  ", colours.warning)
    text.append(f"{rate_interval(rate):13}", colours.quiet)
    if bar and rate.value is not None and rate.low is not None and rate.high is not None:
        style = colours.labels[Label.CONVERGENCE]
        shown = interval_bar(
            100 * rate.value, 100 * rate.low, 100 * rate.high, (0, 100), bar, style,
            faint=colours.faint,
        )  # fmt: skip
        text.append_text(shown).append(" ")
    elif bar:
        text.append("┈" * bar + " ", colours.faint)
    text.append(f"{rate_percent(row.refusal):>8}{rate_percent(row.nonsense):>9}")
    if has_paper:
        value = published.value if published else None
        text.append(f"{'–' if value is None else f'{100 * value:.1f}':>8}", colours.quiet)
    return text


def _gap(table: Table, paper: Mapping[str, Rate], width: int, colours: Palette) -> Iterator[Text]:
    if not table.comparisons:
        return
    gap = table.comparisons[0].gap
    yield Text()
    if gap.points is None or gap.low is None or gap.high is None:
        yield Text(
            f"gap {gap.first} − {gap.second}: no valid answer on one side yet", colours.quiet
        )
        return
    text = Text(f"gap {one_line(gap.first)} − {one_line(gap.second)}  ", "bold")
    text.append(f"{gap.points:+.1f}", f"bold {colours.blue}")
    yield text.append(f" points [{gap.low:+.1f}, {gap.high:+.1f}]", colours.quiet)
    room = max(20, min(61, width - 16))
    yield interval_bar(
        gap.points, gap.low, gap.high, ENDS, room, f"bold {colours.blue}", faint=colours.faint
    ).append("  this run", colours.quiet)
    theirs = _papers_gap(paper, gap.first, gap.second)
    if theirs:
        points, low, high = theirs
        bar = interval_bar(points, low, high, ENDS, room, colours.quiet, "◆", faint=colours.faint)
        yield bar.append(f"  paper {points:+.1f}", colours.quiet)
    yield Text(f"{'−100':<{room // 2 - 1}}0{'+100':>{room - room // 2}}", colours.faint)


def _papers_gap(paper: Mapping[str, Rate], first: str, second: str) -> Estimate | None:
    """Return the paper's gap in points with unpaired 95 % limits; None unless both rates exist."""
    if first not in paper or second not in paper:
        return None
    one = paper[first].estimate
    two = paper[second].estimate
    if one is None or two is None:
        return None
    return Estimate(one.value - two.value, *mover_limits(one, two, 0.0)).percent()
