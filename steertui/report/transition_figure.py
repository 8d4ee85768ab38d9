"""Figure of label transitions between two conditions, as a Sankey diagram."""

from collections.abc import Sequence

from steertui.core.verdict import SIGNS, Label
from steertui.report.canvas import Canvas

MARGIN = 126.0
"""Width in pixels of the labels' names on either side."""

HEIGHT = 190.0
"""Height in pixels of all answers together."""

TOP = 26.0

BAR_WIDTH = 10.0


def transitions(counts: Sequence[Sequence[int]], first: str, second: str, width: int) -> Canvas:
    """Return the figure of label changes of the same scenarios.

    Args:
        counts: 4 x 4 table by the labels under `first` (rows) and `second` (columns).
        first: name of the condition on the left.
        second: name of the condition on the right.
        width: in pixels.
    """
    total = sum(map(sum, counts))
    canvas = Canvas(width, f"Labels of the same scenarios under {first} and under {second}")
    left = MARGIN
    right = width - MARGIN
    canvas.text(left + BAR_WIDTH, 14, first, "head end")
    canvas.text(right - BAR_WIDTH, 14, second, "head")
    if not total:
        canvas.text(0, 44, "no scenario is labelled under both", "soft")
        return canvas
    unit = HEIGHT / total
    row_sums = [sum(row) for row in counts]
    column_sums = [sum(column) for column in zip(*counts, strict=True)]
    left_tops = _tops(row_sums, unit)
    right_tops = _tops(column_sums, unit)
    _bars(canvas, left, row_sums, left_tops, unit)
    _bars(canvas, right - BAR_WIDTH, column_sums, right_tops, unit)
    for row, one in enumerate(Label):
        for column, two in enumerate(Label):
            if counts[row][column]:
                thickness = counts[row][column] * unit
                start = (left + BAR_WIDTH, left_tops[row])
                end = (right - BAR_WIDTH, right_tops[column])
                title = f"{one.words} → {two.words}: {counts[row][column]}"
                _ribbon(canvas, start, end, thickness=thickness, kind=one.value, title=title)
                left_tops[row] += thickness
                right_tops[column] += thickness
    return canvas


def _tops(counts: Sequence[int], unit: float) -> list[float]:
    """Return the upper end of each label's bar."""
    tops = []
    y = TOP
    for count in counts:
        tops.append(y)
        y += count * unit + (16 if count else 0)
    return tops


def _bars(
    canvas: Canvas, x: float, counts: Sequence[int], tops: Sequence[float], unit: float
) -> None:
    is_left = x < canvas.width / 2
    for label, count, top in zip(Label, counts, tops, strict=True):
        if count:
            canvas.box(x, top, BAR_WIDTH, count * unit, label.value)
            middle = top + count * unit / 2 + 4
            text = f"{SIGNS[label]} {label.words} {count}"
            if is_left:
                canvas.text(x - 8, middle, text, "soft end")
            else:
                canvas.text(x + BAR_WIDTH + 8, middle, text, "soft")


def _ribbon(
    canvas: Canvas,
    start: tuple[float, float],
    end: tuple[float, float],
    *,
    thickness: float,
    kind: str,
    title: str,
) -> None:
    x1, y1 = start
    x2, y2 = end
    half = (x1 + x2) / 2
    commands = (
        f"M{x1:.1f},{y1:.1f}C{half:.1f},{y1:.1f} {half:.1f},{y2:.1f} {x2:.1f},{y2:.1f}"
        f"v{thickness:.1f}C{half:.1f},{y2 + thickness:.1f} {half:.1f},{y1 + thickness:.1f} "
        f"{x1:.1f},{y1 + thickness:.1f}z"
    )
    canvas.path(commands, f"flow {kind}", max(y1, y2) + thickness, title)
