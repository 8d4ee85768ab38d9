"""Figure of a dose axis: convergence and nonsense by dose, and conditions to match."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from steertui.analysis.dose_results import AxisResult, Match
from steertui.report.canvas import Canvas, shorten
from steertui.report.figures import is_narrow
from steertui.stats.rate import Rate

HEIGHT = 230
"""Pixels of the vertical scale."""

TOP = 14
LEFT = 40

Place = Callable[[float], float]
"""Returns the pixel of a dose."""


def dose_curve(axis: AxisResult, width: int) -> Canvas:
    """Return the figure: dots with 95 % intervals; doses beyond the limit of coherence are hollow.

    Horizontal lines are rates of other conditions, diamonds the doses that match them.
    """
    canvas = Canvas(width, f"Convergence and nonsense by dose of {axis.name}, in percent")
    right = width - (14 if is_narrow(width) else 150)
    doses = [point.dose for point in axis.curve.points]
    low, high = doses[0], doses[-1]

    def place(dose: float) -> float:
        return LEFT + 18 + (dose - low) / (high - low) * (right - LEFT - 36)

    _scales(canvas, [(place(dose), f"{dose:g}") for dose in doses], right)
    _curve(canvas, place, axis, [point.nonsense for point in axis.curve.points], "nonsensical")
    _curve(canvas, place, axis, [point.rate for point in axis.curve.points], "convergence")
    for match in axis.matches:
        _match(canvas, place, axis, match, right)
    _legend(canvas, TOP + HEIGHT + 58)
    return canvas


def _at(value: float) -> float:
    """Return the pixel of a rate."""
    return TOP + HEIGHT * (1 - value)


def _scales(canvas: Canvas, ticks: Sequence[tuple[float, str]], right: float) -> None:
    for percent in range(0, 101, 25):
        y = _at(percent / 100)
        canvas.line(LEFT, y, right, y, "axis" if percent == 0 else "grid")
        canvas.text(LEFT - 6, y + 4, str(percent), "soft end")
    for x, text in ticks:
        canvas.line(x, _at(0), x, _at(0) + 4, "axis")
        canvas.text(x, _at(0) + 18, text, "soft middle")
    canvas.text(right, _at(0) + 35, "dose", "soft end")


def _curve(
    canvas: Canvas, place: Place, axis: AxisResult, rates: Sequence[Rate], kind: str
) -> None:
    points = [
        (place(point.dose), rate.estimate, point.is_coherent)
        for point, rate in zip(axis.curve.points, rates, strict=True)
        if rate.estimate
    ]
    for (x1, one, _), (x2, two, _) in pairwise(points):
        canvas.line(x1, _at(one.value), x2, _at(two.value), f"thin s-{kind}")
    for x, rate, is_coherent in points:
        if kind == "convergence":
            canvas.line(x, _at(rate.low), x, _at(rate.high), f"limits s-{kind}")
        shape = kind if is_coherent else f"hollow s-{kind}"
        canvas.dot(x, _at(rate.value), 5 if kind == "convergence" else 3.5, shape)


def _match(canvas: Canvas, place: Place, axis: AxisResult, match: Match, right: float) -> None:
    anchor = next(point.rate.value for point in axis.curve.points if point.dose == 0)
    if match.effect.points is None or anchor is None:
        return
    y = _at(anchor + match.effect.points / 100)
    canvas.line(LEFT, y, right, y, "whisker faint")
    x = LEFT + 4 if is_narrow(canvas.width) else right + 6
    canvas.text(x, y - 4, shorten(match.condition, 20))
    found = match.matched
    if found is None or found.dose is None:
        return
    ends = axis.curve.points[-1].dose if found.dose >= 0 else axis.curve.points[0].dose
    low = found.low if found.low is not None else ends
    high = found.high if found.high is not None else ends
    canvas.line(place(low), y, place(high), y, "limits s-other")
    canvas.diamond(place(found.dose), y, "paper")


def _legend(canvas: Canvas, y: float) -> None:
    step = 92 if is_narrow(canvas.width) else 108
    x = 6.0 if is_narrow(canvas.width) else LEFT
    for kind, text in (("convergence", "convergence"), ("nonsensical", "nonsense")):
        canvas.dot(x, y, 5, kind)
        canvas.text(x + 10, y + 4, text, "soft")
        x += step
    canvas.dot(x, y, 5, "hollow s-convergence")
    canvas.text(x + 10, y + 4, "not coherent", "soft")
    if is_narrow(canvas.width):
        x, y = 6.0 - 108, y + 22
    canvas.diamond(x + 108, y, "paper")
    canvas.text(x + 120, y + 4, "dose that matches a condition", "soft")
