"""Dose axes and contests for a terminal."""

from collections.abc import Mapping
from itertools import chain

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.group_rows import (
    PART_COLUMNS,
    access_lines,
    cell_texts,
    dose_columns,
    dose_legend,
    dose_rows,
    marks_legend,
    part_rows,
    parts_legend,
)
from steertui.analysis.group_words import UNIT_WORDS
from steertui.analysis.groups import Groups
from steertui.report.canvas import shorten
from steertui.report.rich_tables import Grid, Parts, filled_grid, line_text

ATTACK_WIDTH = 7
"""Maximum characters of an attack's name in the heading of a matrix, after its number."""


def draw_groups(groups: Groups, *, detail: bool = False) -> Parts:
    """Yield the groups of a table; `detail` adds every part of a contest, and sensitivity."""
    for axis in groups.axes:
        yield from _axis(axis, detail=detail)
    for result in groups.contests:
        yield from _contest(result, detail=detail)
    for refusals in groups.refusals:
        yield line_text()
        yield from (line_text(f"  {sentence}.") for sentence in refusals.sentences)


def _axis(axis: AxisResult, *, detail: bool) -> Parts:
    yield line_text()
    yield line_text(f"Dose axis {axis.name}: {UNIT_WORDS[axis.unit]}", style="bold")
    yield filled_grid("dose", dose_columns(axis), dose_rows(axis))
    yield line_text(f"{dose_legend(axis)}.")
    sentences = (*axis.sentences, *axis.details) if detail else axis.sentences
    yield from (line_text(f"  {sentence}.") for sentence in sentences)


def _contest(result: ContestResult, *, detail: bool) -> Parts:
    yield line_text()
    yield line_text(f"Contest {result.sides.contest}: defences × attacks", style="bold")
    numbers = {attack: number for number, attack in enumerate(result.sides.attacks)}
    yield _matrix(result, numbers)
    yield line_text(f"{marks_legend(result)}.")
    for line in access_lines(result):
        yield line_text(f"{line}.")
    title = "against each attack" if detail else "against its worst attack"
    yield line_text(f"Parts of each defence {title}, in points", style="bold")
    rows = part_rows(result, worst=not detail, numbers=numbers)
    yield filled_grid("", PART_COLUMNS, rows)
    yield line_text(f"{parts_legend(result, worst=not detail)}.")
    sentences = result.sentences if detail else result.verdicts
    yield from (line_text(f"  {sentence}.") for sentence in sentences)


def _matrix(result: ContestResult, numbers: Mapping[str, int]) -> Grid:
    """Return rates and marks, with the intervals below them."""
    rows = chain.from_iterable(
        ((defence, *rates), ("", *intervals))
        for defence in result.sides.defences
        for rates, intervals in [cell_texts(result, defence)]
    )
    return filled_grid("defence", numbered_attacks(numbers), rows)


def numbered_attacks(numbers: Mapping[str, int], most: int = ATTACK_WIDTH) -> list[str]:
    """Return headings with numbers, which distinguish names shortened to `most` characters."""
    return [
        f"{number} {shorten(attack, most)}" if number else attack
        for attack, number in numbers.items()
    ]
