"""Bars in one line of text: confidence interval with point estimate, progress, sparkline."""

from rich.text import Text

from steertui.tui.widgets.label_style import Palette

POINT = "●"
"""Sign of a point estimate."""


def column_of(value: float, low: float, high: float, width: int) -> int:
    """Return the column of a value on an axis from `low` to `high` with `width` columns."""
    share = (value - low) / (high - low)
    return min(width - 1, max(0, round(share * (width - 1))))


def interval_bar(
    value: float,
    limits: tuple[float, float],
    axis: tuple[float, float],
    width: int,
    *,
    style: str,
    axis_style: str = "",
    point: str = POINT,
) -> Text:
    """Return a confidence interval with its point estimate on an axis of `width` columns.

    `limits` and `axis` are (low, high). Zero is marked if it is inside the axis.
    """
    first = column_of(limits[0], *axis, width)
    last = column_of(limits[1], *axis, width)
    chars = ["┈"] * width
    if axis[0] < 0 < axis[1]:
        chars[column_of(0, *axis, width)] = "┊"
    for column in range(first, last + 1):
        chars[column] = "━"
    chars[column_of(value, *axis, width)] = point
    line = Text("".join(chars), axis_style)
    line.stylize(style, first, last + 1)
    return line


def progress_bar(done: int, total: int, width: int, colours: Palette) -> Text:
    """Return a bar of `width` columns, filled to the half column."""
    halves = round(2 * width * done / total) if total else 0
    full, half = divmod(min(halves, 2 * width), 2)
    bar = Text("━" * full + "╸" * half, colours.blue)
    return bar.append("─" * (width - full - half), colours.faint)


def sparkline(values: list[float], width: int) -> str:
    """Return the last `width` values as blocks, scaled to the largest."""
    shown = values[-width:]
    top = max(shown, default=0)
    if top <= 0:
        return ""
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * value / top))] for value in shown)
