"""Figures: the pictures of a Summary, each at the width asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steertui.analysis.formatting import rate_interval, rate_percent, table_title
from steertui.analysis.table import CategoryGap, RateRow, Table
from steertui.core.verdict import SIGNS, Label
from steertui.paper.fidelity import paper_model, published_rates
from steertui.report.canvas import Canvas
from steertui.report.palette import condition_class
from steertui.stats.rate import Rate

WIDE, NARROW = 860, 350
"""Pixels: for a desk and for a phone; a file is drawn wide."""


@dataclass(frozen=True, slots=True)
class Scale:
    """Values low ... high as pixels left ... right."""

    low: float
    high: float
    left: float
    right: float

    def at(self, value: float) -> float:
        """Return a value's pixel, kept inside."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.left + share * (self.right - self.left)

    def axis(self, canvas: Canvas, top: float, bottom: float, step: int, unit: str) -> None:
        """Draw grid lines and their numbers below."""
        for value in range(round(self.low), round(self.high) + 1, step):
            x = self.at(value)
            canvas.line(x, top, x, bottom, "axis" if value == 0 else "grid")
            canvas.text(x, bottom + 16, f"{value:+d}" if self.low < 0 < value else f"{value}",
                        "soft middle")  # fmt: skip
        canvas.text(self.right, bottom + 33, unit, "soft end")


def paper_rates(table: Table) -> Mapping[str, Rate]:
    """Return the paper's rates by condition where the table is about one of its models, and about
    scenarios that the paper's rates can be told of."""
    model = paper_model([table.setting.name, table.setting.title])
    if model is None:
        return {}
    return published_rates(model, {o.scenario for o in table.outcomes}, table.policy)


def rates(tables: Sequence[Table], width: int) -> Canvas:
    """Draw every condition's convergence rate as a dot on its interval; the paper's as diamonds."""
    canvas = Canvas(width, "Convergence rate of each condition with its 95 % interval")
    narrow = width < 500
    scale = Scale(0, 100, 92 if narrow else 120, width - (58 if narrow else 170))
    y, published = 20.0, False
    for table in tables:
        canvas.text(0, y, _short(table_title(table), 46 if narrow else 110), "head")
        paper, top = paper_rates(table), y + 10
        scale.axis(canvas, top, top + 26 * len(table.rows) + 4, 25, "convergence, percent")
        for place, row in enumerate(table.rows):
            _rate(canvas, scale, row, top + 26 * place + 16, wide=not narrow)
            if row.condition in paper and paper[row.condition].value is not None:
                published = True
                share = 100 * (paper[row.condition].value or 0)
                canvas.diamond(scale.at(share), top + 26 * place + 16, "paper")
        y = top + 26 * len(table.rows) + 66
    if published:
        canvas.diamond(8, y - 26, "paper")
        canvas.text(22, y - 22, "the paper's published rate", "soft")
    return canvas


def _rate(canvas: Canvas, scale: Scale, row: RateRow, y: float, *, wide: bool) -> None:
    kind, found = condition_class(row.condition), row.convergence
    canvas.text(0, y + 4, _short(row.condition, 16))
    if found.value is None or found.low is None or found.high is None:
        canvas.text(scale.left + 6, y + 4, "no valid answer", "soft")
        return
    x = scale.at(100 * found.value)
    ends = scale.at(100 * found.low), scale.at(100 * found.high)
    canvas.line(ends[0], y, ends[1], y, f"limits s-{kind}")
    canvas.dot(x, y, 5.5, kind)
    said = f"{rate_percent(found)} {rate_interval(found)}" if wide else rate_percent(found)
    canvas.text(canvas.width, y + 4, said, "end")


def gaps(tables: Sequence[Table], width: int) -> Canvas:
    """Draw every gap as a bar with its interval; the paper's beside it as an outline."""
    canvas = Canvas(width, "Gaps between conditions in percentage points, with 95 % intervals")
    narrow = width < 500
    shown = [c.gap for t in tables for c in t.comparisons if c.gap.low is not None]
    lowest = min((g.low or 0 for g in shown), default=0)
    scale = Scale(
        -100 if lowest < -50 else -50 if lowest < -12 else -25, 100,
        20 if narrow else 170, width - (20 if narrow else 170),
    )  # fmt: skip
    y, published = 20.0, False
    for table in tables:
        canvas.text(0, y, _short(table_title(table), 46 if narrow else 110), "head")
        paper = {n: r.value for n, r in paper_rates(table).items() if r.value is not None}
        step, top = (42 if narrow else 30), y + 10
        scale.axis(canvas, top, top + step * len(table.comparisons) + 4, 25 if not narrow else 50,
                   "percentage points")  # fmt: skip
        for place, comparison in enumerate(table.comparisons):
            g, line = comparison.gap, top + step * place + 15
            if narrow:
                canvas.text(0, line, f"{g.first} − {g.second}")
                line += 14
            else:
                canvas.text(0, line + 4, _short(f"{g.first} − {g.second}", 24))
            _gap(canvas, scale, (g.points, g.low, g.high), line, wide=not narrow)
            if g.first in paper and g.second in paper:
                published = True
                other = 100 * (paper[g.first] - paper[g.second])
                ends = sorted((scale.at(0), scale.at(other)))
                canvas.box(ends[0], line - 10, ends[1] - ends[0], 20, "paper")
        y = top + step * len(table.comparisons) + 66
    if published:
        canvas.box(2, y - 34, 14, 14, "paper")
        canvas.text(22, y - 22, "the paper's published gap", "soft")
    return canvas


def _gap(
    canvas: Canvas, scale: Scale, found: tuple[float | None, ...], y: float, *, wide: bool
) -> None:
    points, low, high = found
    if points is None or low is None or high is None:
        canvas.text(scale.at(0) + 8, y + 4, "cannot be compared", "soft")
        return
    ends = sorted((scale.at(0), scale.at(points)))
    kind = "pro" if points > 0 else "anti"
    canvas.box(ends[0], y - 6, ends[1] - ends[0], 12, f"flow {kind}")
    canvas.line(scale.at(low), y, scale.at(high), y, "whisker")
    for limit in (low, high):
        canvas.line(scale.at(limit), y - 4, scale.at(limit), y + 4, "whisker")
    canvas.dot(scale.at(points), y, 4, kind)
    said = f"{points:+.1f} [{low:+.1f}, {high:+.1f}]" if wide else f"{points:+.1f}"
    canvas.text(canvas.width, y + 4 if wide else y - 14, said, "end")


def categories(table: Table, found: Sequence[CategoryGap], width: int) -> Canvas:
    """Draw each category's rates under each condition as dots on their intervals."""
    canvas = Canvas(width, f"Convergence by category: {table_title(table)}")
    narrow = width < 500
    scale = Scale(0, 100, 12 if narrow else 250, width - 14)
    y, head = 4.0, 20 if narrow else 0
    bottom = y + sum(13 * len(category.rows) + 12 + head for category in found)
    scale.axis(canvas, 4, bottom, 25, "convergence, percent")  # first, so that all else lies on it
    for category in found:
        shown = [row for row in category.rows if row.convergence.value is not None]
        lines = len(category.rows)
        if narrow:
            canvas.text(0, y + 14, category.name, "head")
            y += head
        else:
            canvas.text(0, y + 7 * lines + 8, _short(category.name, 34))
        canvas.line(scale.left, y, scale.right, y, "grid")
        for place, row in enumerate(category.rows):
            if row in shown:
                at = y + 12 + 13 * place
                kind, rate = condition_class(row.condition), row.convergence
                ends = [scale.at(100 * (limit or 0)) for limit in (rate.low, rate.high)]
                canvas.line(ends[0], at, ends[1], at, f"limits s-{kind}")
                canvas.dot(scale.at(100 * (rate.value or 0)), at, 4.5, kind)
        y += 13 * lines + 12
    x, y = 0.0, y + (49 if narrow else 29)  # a phone has no room beside the axis' own name
    for row in table.rows:
        canvas.dot(x + 6, y, 5, condition_class(row.condition))
        canvas.text(x + 16, y + 4, row.condition, "soft")
        x += 34 + 7 * len(row.condition)
    return canvas


def flips(moved: Sequence[Sequence[int]], first: str, second: str, width: int) -> Canvas:
    """Draw where each answer's label went from the first condition to the second."""
    total = sum(map(sum, moved))
    canvas = Canvas(width, f"Labels of the same scenarios under {first} and under {second}")
    left, right, tall = 126.0, width - 126.0, 190.0
    canvas.text(left + 10, 14, first, "head end")
    canvas.text(right - 10, 14, second, "head")
    if not total:
        canvas.text(0, 44, "no scenario is labelled under both", "soft")
        return canvas
    room = tall / total
    sides = [[sum(row) for row in moved], [sum(column) for column in zip(*moved, strict=True)]]
    starts = [_stack(counts, room) for counts in sides]
    for side, (counts, tops) in enumerate(zip(sides, starts, strict=True)):
        for place, label in enumerate(Label):
            if counts[place]:
                x = left if side == 0 else right - 10
                canvas.box(x, tops[place], 10, counts[place] * room, label.value)
                middle = tops[place] + counts[place] * room / 2 + 4
                said = f"{SIGNS[label]} {label.words} {counts[place]}"
                canvas.text(left - 8 if side == 0 else right + 8, middle, said,
                            "soft end" if side == 0 else "soft")  # fmt: skip
    at = [list(tops) for tops in starts]
    for row, one in enumerate(Label):
        for column, two in enumerate(Label):
            if moved[row][column]:
                thick = moved[row][column] * room
                said = f"{one.words} → {two.words}: {moved[row][column]}"
                ends = (left + 10, at[0][row]), (right - 10, at[1][column])
                _ribbon(canvas, ends, thick, one.value, said)
                at[0][row] += thick
                at[1][column] += thick
    return canvas


def _stack(counts: Sequence[int], room: float) -> list[float]:
    found, y = [], 26.0
    for count in counts:
        found.append(y)
        y += count * room + (16 if count else 0)
    return found


def _ribbon(
    canvas: Canvas, ends: tuple[tuple[float, float], ...], thick: float, kind: str, said: str
) -> None:
    (x1, y1), (x2, y2) = ends
    half = (x1 + x2) / 2
    steps = (
        f"M{x1:.1f},{y1:.1f}C{half:.1f},{y1:.1f} {half:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
        f"v{thick:.1f}C{half:.1f},{y2 + thick:.1f} {half:.1f},{y1 + thick:.1f} "
        f"{x1:.1f},{y1 + thick:.1f}z"
    )
    canvas.path(steps, f"flow {kind}", max(y1, y2) + thick, said)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
