"""Figures of a contest: matrix of rates, and parts of each defence against its worst attack."""

from collections.abc import Sequence
from textwrap import wrap

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.group_rows import cell_text, marked_points, part_levels, short_interval
from steertui.analysis.interval_text import interval_cell
from steertui.report.canvas import Canvas, shorten
from steertui.report.figures import Scale, is_narrow
from steertui.stats.contest import Defence, Duel
from steertui.stats.families import FamilyTest, untested
from steertui.stats.gap import Gap

CELL_HEIGHT = 44
"""Pixels of one row of the matrix."""

STEP = 20
"""Pixels between two bars."""

CHARACTER = 7
"""Width of a character in pixels, about."""


def contest_matrix(result: ContestResult, width: int) -> Canvas:
    """Return the matrix: rate, mark and 95 % interval of every defence against every attack."""
    title = f"Contest {result.sides.contest}: convergence in percent with 95 % intervals"
    canvas = Canvas(width, title)
    attacks = [*result.sides.attacks]
    longest = CHARACTER * (2 + max(map(len, result.sides.defences)))
    left = min(longest, 110) if is_narrow(width) else 150
    size = min(110, (width - left) / len(attacks))
    has_room = max(map(len, attacks)) * CHARACTER <= size
    marks = _defence_marks([*result.sides.defences], left)
    for number, attack in enumerate(attacks):
        text = attack if has_room or not number else str(number)
        canvas.text(left + size * (number + 0.5), 14, text, "soft middle")
    for row, defence in enumerate(result.sides.defences):
        y = 24 + row * CELL_HEIGHT
        canvas.text(0, y + CELL_HEIGHT / 2 + 4, marks[defence])
        for column, attack in enumerate(attacks):
            _cell(canvas, result, (defence, attack), (left + column * size, y, size))
    bottom = 24 + CELL_HEIGHT * len(result.sides.defences)
    keys = [f"{mark} {defence}" for defence, mark in marks.items() if mark != defence]
    keys += [] if has_room else [f"{i} {attack}" for i, attack in enumerate(attacks) if i]
    for number, text in enumerate(keys, 1):
        canvas.text(0, bottom + 18 * number, shorten(text, 48), "soft")
    return canvas


def _defence_marks(defences: Sequence[str], width: float) -> dict[str, str]:
    """Return the names of the rows, or "D1", "D2" and so on if one of them has no room."""
    if max(map(len, defences)) * CHARACTER <= width:
        return {name: name for name in defences}
    return {name: f"D{i}" if i else name for i, name in enumerate(defences)}


def _cell(
    canvas: Canvas,
    result: ContestResult,
    place: tuple[str, str],
    box: tuple[float, float, float],
) -> None:
    x, y, size = box
    rate = result.rates[place]
    shade = round(10 * (rate.value or 0))
    canvas.box(x + 1, y + 1, size - 2, CELL_HEIGHT - 2, f"convergence shade-{shade}")
    canvas.text(x + size / 2, y + 19, cell_text(result, place), "head middle")
    canvas.text(x + size / 2, y + 36, short_interval(rate), "middle")


def contest_parts(result: ContestResult, width: int) -> Canvas:
    """Return bars with intervals: the parts of each defence against its worst attack.

    The levels of the intervals are below the bars. A gap is marked † if its pairs give another one.
    """
    canvas = Canvas(width, "Parts of each defence against its worst attack, in points")
    narrow = is_narrow(width)
    scale = Scale(-100, 100, left=92, right=width - (20 if narrow else 150))
    worst = [
        (defence, duel)
        for defence in result.estimates.defences
        for duel in defence.duels
        if duel.attack in defence.worst
    ]
    height = 4 * STEP + 30
    bottom = len(worst) * height
    scale.axis(canvas, 4, bottom + 4, step=50, unit="percentage points")
    for number, (defence, duel) in enumerate(worst):
        _parts(canvas, scale, defence, duel, 4 + number * height)
    for number, text in enumerate(wrap(part_levels(result), width // CHARACTER), 3):
        canvas.text(0, bottom + 4 + 18 * number, text, "soft")
    return canvas


def _parts(canvas: Canvas, scale: Scale, defence: Defence, duel: Duel, top: float) -> None:
    room = (46 if is_narrow(canvas.width) else 110) - len(defence.verdict) - 2
    name = shorten(f"{defence.name} × {duel.attack}", room)
    canvas.text(0, top + 14, f"{name}: {defence.verdict}", "head")
    parts = {
        "authorised": (defence.authorised, defence.test),
        "residual": (duel.residual, duel.test),
        "protection": (duel.protection, None),
        "interaction": (duel.interaction, None),
    }
    for place, (part, (gap, test)) in enumerate(parts.items()):
        y = top + 30 + place * STEP
        canvas.text(0, y + 4, part, "soft")
        _bar(canvas, scale, gap, test or untested(gap), y)


def _bar(canvas: Canvas, scale: Scale, gap: Gap, test: FamilyTest, y: float) -> None:
    """Draw a gap with the interval of its test."""
    if gap.points is None or test.low is None or test.high is None:
        canvas.text(scale.at(0) + 8, y + 4, "unknown", "soft")
        return
    left, right = sorted((scale.at(0), scale.at(gap.points)))
    canvas.box(left, y - 6, right - left, 12, f"flow {'pro' if gap.points > 0 else 'anti'}")
    canvas.line(scale.at(test.low), y, scale.at(test.high), y, "whisker")
    if not is_narrow(canvas.width):
        canvas.text(canvas.width, y + 4, f"{marked_points(gap)} {interval_cell(test)}", "end")
