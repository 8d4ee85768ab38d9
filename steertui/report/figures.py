"""Figures of a summary: rates, gaps and categories, each at a given width."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from steertui.analysis.formatting import pair_title, rate_interval, rate_percent, table_title
from steertui.analysis.interval_text import interval_cell
from steertui.analysis.overview import is_short
from steertui.analysis.sentences import Finding, GapResult
from steertui.analysis.table import CategoryGap, RateRow, Table
from steertui.paper.fidelity import paper_model, published_rates
from steertui.report.canvas import Canvas, shorten
from steertui.report.palette import condition_class
from steertui.stats.rate import Policy, Rate

WIDE = 860
"""Width in pixels on desktop screens and in files."""

NARROW = 350
"""Width in pixels on phones."""

ROW_HEIGHT = 26
"""Pixels between two dots."""

LINE_HEIGHT = 17
"""Pixels between two lines of a title."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Linear map from values (low to high) to pixels (left to right)."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Return a value's pixel; values outside the scale are moved to its end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def axis(self, canvas: Canvas, top: float, bottom: float, *, step: int, unit: str) -> None:
        """Draw grid lines from top to bottom, with their values and the unit below."""
        is_signed = self.low < 0 < self.high
        for value in range(round(self.low), round(self.high) + 1, step):
            x = self.at(value)
            canvas.line(x, top, x, bottom, "axis" if value == 0 else "grid")
            number = f"{value:+d}" if is_signed and value else f"{value}"
            canvas.text(x, bottom + 16, number, "soft middle")
        canvas.text(self.right, bottom + 33, unit, "soft end")


def is_narrow(width: int) -> bool:
    """Whether a figure has the layout for phones."""
    return width < 500


def paper_rates(table: Table) -> Mapping[str, Rate]:
    """Return the paper's rates by condition.

    Empty if the model is not one of the paper's, or if no rates are published for the scenarios.
    """
    model = paper_model([table.setting.name, table.setting.title])
    if model is None:
        return {}
    return published_rates(model, {o.scenario for o in table.outcomes}, table.policy)


def paper_words(what: str, table: Table) -> str:
    """Return "published gap" for "gap": the paper's number beside a table, or how it is counted.

    Under another policy than the paper's it is counted from the published labels. It is over all
    valid answers of each condition, which is said where the table's own gap is not.
    """
    is_apart = what.endswith("gap") and table.primary is not None and table.primary.is_shared
    basis = " over all valid answers" * is_apart
    if table.policy is Policy.PAPER:
        return f"published {what}{basis}"
    return f"{what}{basis}, under policy {table.policy}"


def rates(tables: Sequence[Table], width: int) -> Canvas:
    """Return the figure of convergence rates: dots with intervals, the paper's as diamonds."""
    canvas = Canvas(width, "Convergence rate of each condition with its 95 % interval")
    narrow = is_narrow(width)
    scale = Scale(0, 100, left=92 if narrow else 120, right=width - (58 if narrow else 170))
    y = 20.0
    words = ""
    for table in (table.ungrouped for table in tables):
        y = draw_title(canvas, table_title(table), y)
        paper = paper_rates(table)
        top = y + 10
        bottom = top + ROW_HEIGHT * len(table.rows) + 4
        scale.axis(canvas, top, bottom, step=25, unit="convergence, percent")
        for place, row in enumerate(table.rows):
            middle = top + ROW_HEIGHT * place + 16
            _rate(canvas, scale, row, middle)
            published = paper[row.condition].value if row.condition in paper else None
            if published is not None:
                words = paper_words("rate", table)
                canvas.diamond(scale.at(100 * published), middle, "paper")
        y = bottom + 62
    if words:
        canvas.diamond(8, y - 26, "paper")
        canvas.text(22, y - 22, f"the paper's {words}", "soft")
    return canvas


def draw_title(canvas: Canvas, title: str, y: float) -> float:
    """Draw a title, in several lines where it is too long for one; return the last baseline."""
    lines = wrap(title, 44 if is_narrow(canvas.width) else canvas.width // 8)
    for number, line in enumerate(lines):
        canvas.text(0, y + LINE_HEIGHT * number, line, "head")
    return y + LINE_HEIGHT * (len(lines) - 1)


def _rate(canvas: Canvas, scale: Scale, row: RateRow, y: float) -> None:
    kind = condition_class(row.condition)
    rate = row.convergence
    canvas.text(0, y + 4, shorten(row.condition, 16))
    if rate.value is None or rate.low is None or rate.high is None:
        canvas.text(scale.left + 6, y + 4, "no valid answer", "soft")
        return
    canvas.line(scale.at(100 * rate.low), y, scale.at(100 * rate.high), y, f"limits s-{kind}")
    canvas.dot(scale.at(100 * rate.value), y, 5.5, kind)
    text = rate_percent(rate)
    if not is_narrow(canvas.width):
        text = f"{text} {rate_interval(rate)}"
    canvas.text(canvas.width, y + 4, text, "end")


def shown_gaps(tables: Sequence[Table]) -> list[tuple[Table, tuple[GapResult, ...]]]:
    """Return the comparisons that a figure shows: of many tables the primary ones alone."""
    if is_short(tables):
        return [(table, table.ungrouped.comparisons) for table in tables]
    return [(table, table.comparisons[: int(table.primary is not None)]) for table in tables]


def gaps(tables: Sequence[Table], width: int) -> Canvas:
    """Return the figure of gaps (`shown_gaps`): bars with intervals, the paper's as outlines.

    Intervals have the level of each comparison's test.
    """
    canvas = Canvas(width, "Gaps between conditions in percentage points, with intervals")
    narrow = is_narrow(width)
    scale = _gap_scale(tables, width)
    step = 42 if narrow else 30
    y = 20.0
    words = ""
    for table, results in shown_gaps(tables):
        y = draw_title(canvas, table_title(table), y)
        paper = {n: r.value for n, r in paper_rates(table).items() if r.value is not None}
        top = y + 10
        bottom = top + step * len(results) + 4
        scale.axis(canvas, top, bottom, step=50 if narrow else 25, unit="percentage points")
        for place, result in enumerate(results):
            gap = result.gap
            middle = top + step * place + 15
            name = f"{pair_title(result)}{' ≠' * (result.finding is Finding.CONTESTED)}"
            if narrow:
                canvas.text(0, middle, name)
                middle += 14
            else:
                canvas.text(0, middle + 4, shorten(name, 24))
            _gap(canvas, scale, result, middle)
            if gap.first in paper and gap.second in paper:
                words = max(words, paper_words("gap", table), key=len)
                _paper_gap(canvas, scale, 100 * (paper[gap.first] - paper[gap.second]), middle)
        y = bottom + 62
    if words:
        canvas.box(2, y - 34, 14, 14, "paper")
        canvas.text(22, y - 22, f"the paper's {words}", "soft")
    return canvas


def _gap_scale(tables: Sequence[Table], width: int) -> Scale:
    """Return a scale up to +100 points whose lower end fits the lowest interval."""
    limits = [r.test.low for _, own in shown_gaps(tables) for r in own if r.test.low is not None]
    lowest = min(limits, default=0)
    low = -25
    if lowest < -50:
        low = -100
    elif lowest < -12:
        low = -50
    margin = 20 if is_narrow(width) else 170
    return Scale(low, 100, left=margin, right=width - margin)


def _gap(canvas: Canvas, scale: Scale, result: GapResult, y: float) -> None:
    points, low, high = result.gap.points, result.test.low, result.test.high
    if points is None or low is None or high is None:
        few = "cannot be compared" if points is None else f"{points:+.1f}, no interval: few pairs"
        canvas.text(scale.at(0) + 8, y + 4, few, "soft")
        return
    left, right = sorted((scale.at(0), scale.at(points)))
    kind = "pro" if points > 0 else "anti"
    canvas.box(left, y - 6, right - left, 12, f"flow {kind}")
    canvas.line(scale.at(low), y, scale.at(high), y, "whisker")
    for limit in (low, high):
        canvas.line(scale.at(limit), y - 4, scale.at(limit), y + 4, "whisker")
    canvas.dot(scale.at(points), y, 4, kind)
    if is_narrow(canvas.width):
        canvas.text(canvas.width, y - 14, f"{points:+.1f}", "end")
    else:
        canvas.text(canvas.width, y + 4, f"{points:+.1f} {interval_cell(result.test)}", "end")


def _paper_gap(canvas: Canvas, scale: Scale, points: float, y: float) -> None:
    left, right = sorted((scale.at(0), scale.at(points)))
    canvas.box(left, y - 10, right - left, 20, "paper")


def categories(table: Table, shown: Sequence[CategoryGap], width: int) -> Canvas:
    """Return the figure of each category's rates: dots with intervals for every condition."""
    canvas = Canvas(width, f"Convergence by category: {table_title(table)}")
    narrow = is_narrow(width)
    scale = Scale(0, 100, left=12 if narrow else 250, right=width - 14)
    heading = 20 if narrow else 0
    y = 4.0
    bottom = y + sum(13 * len(category.rows) + 12 + heading for category in shown)
    scale.axis(canvas, 4, bottom, step=25, unit="convergence, percent")  # first: below all else
    for category in shown:
        height = 13 * len(category.rows) + 12
        if narrow:
            canvas.text(scale.left + 6, y + 14, category.name, "head")
            y += heading
        else:
            canvas.text(0, y + 7 * len(category.rows) + 8, shorten(category.name, 34))
        canvas.line(scale.left, y, scale.right, y, "grid")
        for place, row in enumerate(category.rows):
            _category_rate(canvas, scale, row, y + 12 + 13 * place)
        y += height
    # On a narrow figure the legend needs a line of its own, below the unit of the axis.
    _legend(canvas, table, y + (49 if narrow else 29))
    return canvas


def _category_rate(canvas: Canvas, scale: Scale, row: RateRow, y: float) -> None:
    rate = row.convergence
    if rate.value is None:
        return
    kind = condition_class(row.condition)
    low = scale.at(100 * (rate.low or 0))
    high = scale.at(100 * (rate.high or 0))
    canvas.line(low, y, high, y, f"limits s-{kind}")
    canvas.dot(scale.at(100 * rate.value), y, 4.5, kind)


def _legend(canvas: Canvas, table: Table, y: float) -> None:
    x = 0.0
    for row in table.rows:
        length = 34 + 7 * len(row.condition)
        if x and x + length > canvas.width:
            x, y = 0.0, y + LINE_HEIGHT
        canvas.dot(x + 6, y, 5, condition_class(row.condition))
        canvas.text(x + 16, y + 4, row.condition, "soft")
        x += length
