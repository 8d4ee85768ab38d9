"""Figure of gaps over the size of the model, numbered marks with a key below."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, pairwise
from math import ceil, floor, log2, log10
from statistics import mean
from textwrap import wrap

from steertui.analysis.interval_text import interval_cell
from steertui.analysis.model_scale import ModelScale, ScaleGroup
from steertui.analysis.model_series import SeriesModel, parameters_text
from steertui.analysis.sentences import Finding
from steertui.report.canvas import Canvas, shorten
from steertui.report.figures import (
    LINE_HEIGHT,
    Scale,
    draw_title,
    is_narrow,
    paper_rates,
    paper_words,
)

HEIGHT = 250
"""Pixels of the vertical scale."""

LEFT = 44

SPACING = 18
"""Minimum pixels between two marks, if the figure is wide enough for all of them."""

TICK_SPACING = 48
"""Minimum pixels between two numbers of the horizontal axis."""

CHARACTER = 6.6
"""Mean width in pixels of a character of a note."""

OTHERS = "Other models"
"""Heading of the models that no line joins."""

Places = Mapping[int, float]
"""Pixel of each model on the horizontal axis, by its number in the figure less 1."""


def scale_figure(scale: ModelScale, width: int) -> Canvas:
    """Return the figure: dots with intervals, the paper's gaps as diamonds.

    Marks that would cover each other are moved apart horizontally.
    """
    canvas = Canvas(width, scale.title)
    top = draw_title(canvas, scale.title, 20) + 44
    across = _across(scale.models, width)
    true = [across.at(log2(model.known.parameters)) for model in scale.models]
    places = dict(enumerate(spread(true, SPACING, across.left, across.right)))
    upward = _upward(scale, top)
    _axes(canvas, across, upward)
    numbers = count()
    for group in scale.groups:
        own = {next(numbers): model for model in group.models}
        _lines(canvas, group, [places[n] for n in own], across, upward)
    has_paper = [m for n, m in enumerate(scale.models) if _mark(canvas, n, m, places, upward)]
    y = _key(canvas, scale, top + HEIGHT + 62)
    if has_paper:
        canvas.diamond(8, y - 4, "paper")
        words = max((paper_words("gap", model.table.ungrouped) for model in has_paper), key=len)
        canvas.text(22, y, f"the paper's {words}", "soft")
        y += LINE_HEIGHT
    moved = any(abs(places[n] - x) > 1 for n, x in enumerate(true))
    aside = ["Marks of nearly equal sizes are side by side"] * moved
    notes = f"{'. '.join((*scale.notes, *aside))}."
    for line in wrap(notes, int(width / CHARACTER), break_on_hyphens=False):
        canvas.text(0, y, line, "soft")
        y += LINE_HEIGHT
    return canvas


def spread(places: Sequence[float], spacing: float, low: float, high: float) -> list[float]:
    """Return places in low..high at least `spacing` apart, as near to the given ones as possible.

    Least squares by isotonic regression (pool adjacent violators), in the order of the places. The
    spacing is smaller if not all places fit.
    """
    steps = max(len(places) - 1, 1)
    step = min(spacing, (high - low) / steps)
    order = sorted(range(len(places)), key=lambda n: (places[n], n))
    blocks: list[list[float]] = []
    for rank, number in enumerate(order):
        blocks.append([places[number] - rank * step])
        while len(blocks) > 1 and mean(blocks[-2]) > mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    level = [mean(block) for block in blocks for _ in block]
    last_start = high - step * (len(places) - 1)
    moved = {
        number: min(max(level[rank], low), last_start) + rank * step
        for rank, number in enumerate(order)
    }
    return [moved[number] for number in range(len(places))]


def _across(models: Sequence[SeriesModel], width: int) -> Scale:
    """Return the map from binary logarithms of sizes to pixels."""
    sizes = [log2(model.known.parameters) for model in models]
    return Scale(min(sizes), max(sizes), left=LEFT + 24, right=width - 24)


def _upward(scale: ModelScale, top: float) -> Scale:
    """Return the map from points to pixels, over 0 and all intervals, in steps of 25 points."""
    values = [0.0]
    for model in scale.models:
        known = model.primary.gap.points, model.primary.test.low, model.primary.test.high
        values += [value for value in (*known, paper_gap(model)) if value is not None]
    values += [value for group in scale.groups for value in _fitted(group)]
    low = max(25 * floor(min(values) / 25), -100)
    high = min(25 * ceil(max(values) / 25), 100)
    return Scale(low, max(high, low + 25), left=top + HEIGHT, right=top)


def paper_gap(model: SeriesModel) -> float | None:
    """Return the paper's gap of a model's primary comparison in points; None without one."""
    rates = paper_rates(model.table.ungrouped)
    gap = model.primary.gap
    values = [rates[name].value for name in (gap.first, gap.second) if name in rates]
    found = [value for value in values if value is not None]
    return 100 * (found[0] - found[1]) if len(found) == 2 else None


def _fitted(group: ScaleGroup) -> list[float]:
    """Return the points of a group's slope at its smallest and its largest model."""
    if group.slope is None:
        return []
    sizes = [log2(model.known.parameters) for model in group.models]
    level = mean(model.primary.gap.points or 0 for model in group.models)
    return [level + group.slope * (size - mean(sizes)) for size in (sizes[0], sizes[-1])]


def _axes(canvas: Canvas, across: Scale, upward: Scale) -> None:
    left, right = LEFT, canvas.width
    canvas.text(0, upward.right - 16, "percentage points", "soft")
    for value in range(round(upward.low), round(upward.high) + 1, 25):
        y = upward.at(value)
        canvas.line(left, y, right, y, "axis" if value == 0 else "grid")
        canvas.text(left - 6, y + 4, f"{value:+d}" if value else "0", "soft end")
    for size in size_ticks(across):
        x = across.at(log2(size))
        canvas.line(x, upward.left, x, upward.left + 4, "axis")
        canvas.text(x, upward.left + 18, parameters_text(round(size)), "soft middle")
    canvas.text(right, upward.left + 35, "parameters, logarithmic scale", "soft end")


def size_ticks(across: Scale) -> list[float]:
    """Return the sizes to write on the axis: 1, 2 and 5 or 1 times powers of 10, or both ends."""
    pixels = (across.right - across.left) / (across.high - across.low)
    powers = range(floor(across.low * log10(2)), ceil(across.high * log10(2)) + 1)
    for leading in ((1, 2, 5), (1,)):
        sizes = [first * 10.0**power for power in powers for first in leading]
        inside = [size for size in sizes if across.low <= log2(size) <= across.high]
        places = [pixels * log2(size) for size in inside]
        is_readable = all(two - one >= TICK_SPACING for one, two in pairwise(places))
        if len(inside) > 1 and is_readable:
            return inside
    return [2**across.low, 2**across.high]


def _lines(
    canvas: Canvas, group: ScaleGroup, places: Sequence[float], across: Scale, upward: Scale
) -> None:
    """Draw the line that joins a group's models, and its slope."""
    marks = [
        (x, upward.at(model.primary.gap.points or 0))
        for x, model in zip(places, group.models, strict=True)
    ]
    for (x1, y1), (x2, y2) in pairwise(marks):
        canvas.line(x1, y1, x2, y2, "thin s-baseline")
    fitted = _fitted(group)
    if fitted:
        ends = [across.at(log2(group.models[n].known.parameters)) for n in (0, -1)]
        canvas.line(ends[0], upward.at(fitted[0]), ends[1], upward.at(fitted[1]), "whisker faint")


def _mark(canvas: Canvas, number: int, model: SeriesModel, places: Places, upward: Scale) -> bool:
    """Draw a model's gap, its interval and its number; return whether the paper has its gap."""
    x = places[number]
    points, test = model.primary.gap.points or 0, model.primary.test
    published = paper_gap(model)
    kind = "pro" if points > 0 else "anti"
    tops = [points]
    if test.low is None or test.high is None:
        kind = f"hollow s-{kind}"
    else:
        tops.append(test.high)
        canvas.line(x, upward.at(test.low), x, upward.at(test.high), "whisker")
        for limit in (test.low, test.high):
            canvas.line(x - 4, upward.at(limit), x + 4, upward.at(limit), "whisker")
    canvas.dot(x, upward.at(points), 4, kind)
    if published is not None:
        tops.append(published)
        canvas.diamond(x, upward.at(published), "paper")
    canvas.text(x, upward.at(max(tops)) - 10, str(number + 1), "halo soft middle")
    return published is not None


def _key(canvas: Canvas, scale: ModelScale, y: float) -> float:
    """Draw the numbers' models with sizes and gaps; return the next baseline."""
    numbers = count(1)
    others = OTHERS if any(group.name for group in scale.groups) else ""
    heading = ""
    for group in scale.groups:
        if heading != (group.name or others):
            heading = group.name or others
            canvas.text(0, y + 6, heading, "head")
            y += LINE_HEIGHT + 6
        for model in group.models:
            _key_row(canvas, next(numbers), model, y)
            y += LINE_HEIGHT
    return y + 12


def _key_row(canvas: Canvas, number: int, model: SeriesModel, y: float) -> None:
    result = model.primary
    name = f"{model.table.setting.name}{' ≠' * (result.finding is Finding.CONTESTED)}"
    right = 52 if is_narrow(canvas.width) else 180
    size_end = canvas.width - right
    canvas.text(18, y, str(number), "soft end")
    canvas.text(26, y, shorten(name, int((size_end - 52 - 26) / 7.2)))
    canvas.text(size_end, y, parameters_text(model.known.parameters), "soft end")
    canvas.text(canvas.width, y, " ".join(_gap_parts(canvas, model)), "end")


def _gap_parts(canvas: Canvas, model: SeriesModel) -> Iterator[str]:
    test = model.primary.test
    yield f"{model.primary.gap.points:+.1f}"
    if not is_narrow(canvas.width):
        yield interval_cell(test) if test.low is not None else "no interval: few pairs"
