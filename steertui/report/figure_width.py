"""Printed width of figure files, such as the column of a paper."""

import re

from steertui.errors import ExperimentError

INCHES = {"in": 1.0, "cm": 1 / 2.54, "mm": 1 / 25.4, "pt": 1 / 72.27}
"""Inches by unit; a point is TeX's."""

NARROWEST, WIDEST = 2.75, 11.0
"""Range of widths, inches."""

PIXELS_PER_INCH = 108
"""Pixels of a figure per printed inch: texts of 12 and 13 pixels are 8 and 8.7 points."""

DOTS_PER_INCH = 300
"""Resolution of PNG files with a printed width."""

_WIDTH = re.compile(r"(\d+(?:\.\d+)?)\s*(in|cm|mm|pt)")


def parse_width(text: str) -> float:
    """Return a width such as "3.3in", "84mm" or "240pt" in inches.

    Raises ExperimentError unless it is a number with a unit, in the range of widths.
    """
    found = _WIDTH.fullmatch(text.strip())
    if found is None:
        raise ExperimentError(
            f"--figure-width {text}: give a number with a unit of in, cm, mm or pt, such as 3.3in"
        )
    inches = float(found[1]) * INCHES[found[2]]
    if not NARROWEST <= inches <= WIDEST:
        raise ExperimentError(
            f"--figure-width {text}: give {NARROWEST:g}in to {WIDEST:g}in; texts would not fit "
            "into a narrower figure"
        )
    return inches
