"""Rates and gaps drawn on a line: the point, its interval, and the paper's below."""

from rich.text import Text

from steertui.tui.widgets.label_style import Palette


def place(value: float, low: float, high: float, width: int) -> int:
    """Return the column of a value on an axis from `low` to `high` of so many columns."""
    share = (value - low) / (high - low)
    return min(width - 1, max(0, round(share * (width - 1))))


def interval_bar(
    value: float, low: float, high: float, ends: tuple[float, float], width: int, style: str,
    point: str = "●", faint: str = "",
) -> Text:  # fmt: skip
    """Return an interval as a bar with its point on an axis from `ends[0]` to `ends[1]`."""
    first, last = place(low, *ends, width), place(high, *ends, width)
    chars = ["┈"] * width
    if ends[0] < 0 < ends[1]:
        chars[place(0, *ends, width)] = "┊"
    for column in range(first, last + 1):
        chars[column] = "━"
    chars[place(value, *ends, width)] = point
    line = Text("".join(chars), faint)
    line.stylize(style, first, last + 1)
    return line


def progress_bar(done: int, total: int, width: int, colours: Palette) -> Text:
    """Return a thin bar, `done` of `total` filled, to the half column."""
    halves = round(2 * width * done / total) if total else 0
    full, half = divmod(min(halves, 2 * width), 2)
    bar = Text("━" * full + "╸" * half, colours.blue)
    return bar.append("─" * (width - full - half), colours.faint)


def sparkline(values: list[float], width: int) -> str:
    """Return the last `width` values as a line of blocks, the highest full."""
    shown = values[-width:]
    top = max(shown, default=0)
    if top <= 0:
        return ""
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * v / top))] for v in shown)
