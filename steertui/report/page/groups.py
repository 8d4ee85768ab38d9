"""Template values of dose axes and contests."""

from collections.abc import Sequence
from typing import Any

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.group_rows import (
    PART_COLUMNS,
    access_lines,
    dose_columns,
    dose_legend,
    dose_rows,
    marks_legend,
    part_rows,
    parts_legend,
)
from steertui.analysis.group_words import UNIT_WORDS
from steertui.analysis.groups import Groups
from steertui.analysis.side_by_side import SideBySide
from steertui.report import figures
from steertui.report.contest_figure import contest_matrix, contest_parts
from steertui.report.dose_figure import dose_curve

Values = dict[str, Any]


def group_values(groups: Groups, answers: Sequence[SideBySide]) -> Values:
    """Return the values of a table's dose axes and contests, and of answers at matched strength."""
    return {
        "axes": [
            _axis(axis) | {"answers": [each for each in answers if each.axis == axis.name]}
            for axis in groups.axes
        ],
        "contests": [_contest(result) for result in groups.contests],
        "refusals": [s for result in groups.refusals for s in result.sentences],
        "part_columns": PART_COLUMNS,
    }


def _axis(axis: AxisResult) -> Values:
    is_judged = axis.curve.is_judged
    return {
        "title": f"Dose axis {axis.name}: {UNIT_WORDS[axis.unit]}",
        "wide": dose_curve(axis, figures.WIDE).inline() if is_judged else "",
        "narrow": dose_curve(axis, figures.NARROW).inline() if is_judged else "",
        "caption": f"{'Convergence, effect and coherence' if is_judged else 'Coherence'} by dose",
        "columns": dose_columns(axis),
        "legend": dose_legend(axis),
        "rows": [*dose_rows(axis)],
        "sentences": axis.sentences,
        "details": axis.details,
    }


def _contest(result: ContestResult) -> Values:
    return {
        "title": f"Contest {result.sides.contest}: defences × attacks",
        "matrix_wide": contest_matrix(result, figures.WIDE).inline(),
        "matrix_narrow": contest_matrix(result, figures.NARROW).inline(),
        "parts_wide": contest_parts(result, figures.WIDE).inline(),
        "parts_narrow": contest_parts(result, figures.NARROW).inline(),
        "legend": marks_legend(result),
        "access": access_lines(result),
        "rows": [*part_rows(result)],
        "parts_legend": parts_legend(result),
        "verdicts": result.verdicts,
        "evidence": result.evidence,
    }
