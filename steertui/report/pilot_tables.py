"""Planning from a pilot as tables and sentences for a terminal."""

from collections.abc import Sequence

from steertui.analysis.arms import text_arms
from steertui.analysis.formatting import NO_EXPERIMENT
from steertui.analysis.pilot import (
    GAP_COLUMNS,
    PilotGap,
    detectable_rows,
    equivalence_row,
    needed_row,
    pilot_gaps,
    pilot_sentence,
    width_columns,
    width_rows,
    width_sentence,
)
from steertui.analysis.summary import Summary
from steertui.report.rich_tables import Parts, filled_grid, line_text
from steertui.stats.simultaneous import MIN_PAIRS

NO_PILOT = (
    f"No primary comparison with {MIN_PAIRS} scenarios valid under both conditions and labels that "
    "may be interpreted: nothing can be planned from this pilot."
)

CAVEAT = (
    "Scenarios are those valid under both conditions: plan more if answers are nonsensical. The "
    "numbers hold if the main run has scenarios, models and wordings like the pilot's. A pilot "
    "that was chosen because of its gap is optimistic"
)


def draw_pilots(summary: Summary, *, gap: float, width: float, sizes: Sequence[int]) -> Parts:
    """Yield what each primary comparison of a pilot says on a main run.

    Args:
        summary: of the pilot.
        gap: percentage points to detect.
        width: of the interval, percentage points.
        sizes: numbers of scenarios; the default is multiples of the pilot's.
    """
    if not summary.tables:
        yield line_text(NO_EXPERIMENT)
        return
    arms = {each.experiment: text_arms(each.conditions) for each in summary.declarations}
    pilots = [*pilot_gaps(summary, arms)]
    for pilot in pilots:
        yield from _pilot(pilot, gap, width, sizes)
    yield line_text(f"{CAVEAT}." if pilots else NO_PILOT)


def _pilot(pilot: PilotGap, gap: float, width: float, sizes: Sequence[int]) -> Parts:
    yield line_text(pilot.title, style="bold")
    yield line_text(f"{pilot_sentence(pilot)}.")
    rows = [*detectable_rows(pilot, sizes), needed_row(pilot, gap), equivalence_row(pilot)]
    yield filled_grid("scenarios", GAP_COLUMNS, rows)
    yield line_text(
        "Minimum detectable gap in points at 80 % power, primary comparison at 5 %, one sample, by "
        "the share of scenarios that move against it. Equivalence: scenarios with 80 % power if "
        "the true gap is 0 and each direction has this share."
    )
    widths = [*width_rows(pilot)]
    if widths:
        yield filled_grid("wordings", width_columns(pilot), widths)
        yield line_text(
            "Expected width of the 95 % interval in points, under one judge; a prediction from "
            "three wordings or fewer can be off by half."
        )
        yield line_text(f"{width_sentence(pilot, width)}.")
    yield line_text()
