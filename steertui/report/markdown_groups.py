"""Dose axes and contests as Markdown."""

from collections.abc import Iterator

from steertui.analysis.contest_results import ContestResult
from steertui.analysis.dose_results import AxisResult
from steertui.analysis.group_rows import (
    PART_COLUMNS,
    access_lines,
    dose_columns,
    dose_legend,
    dose_rows,
    marks_legend,
    matrix_rows,
    part_rows,
    parts_legend,
)
from steertui.analysis.group_words import UNIT_WORDS
from steertui.analysis.groups import Groups
from steertui.report.markdown_tables import escape, escaped_table


def group_lines(groups: Groups) -> Iterator[str]:
    """Yield the lines of all groups of a table."""
    for axis in groups.axes:
        yield from _axis(axis)
    for result in groups.contests:
        yield from _contest(result)
    for refusals in groups.refusals:
        yield from (f"- {escape(sentence)}." for sentence in refusals.sentences)
        yield ""


def _axis(axis: AxisResult) -> Iterator[str]:
    yield f"### {escape(f'Dose axis {axis.name}: {UNIT_WORDS[axis.unit]}')}\n"
    yield from escaped_table(("dose", *dose_columns(axis)), dose_rows(axis))
    yield f"\n{escape(dose_legend(axis))}.\n"
    yield from (f"- {escape(sentence)}." for sentence in (*axis.sentences, *axis.details))
    yield ""


def _contest(result: ContestResult) -> Iterator[str]:
    yield f"### {escape(f'Contest {result.sides.contest}: defences × attacks')}\n"
    yield from escaped_table(("defence", *result.sides.attacks), matrix_rows(result))
    yield f"\n{escape(marks_legend(result))}.\n"
    yield from (f"- {escape(line)}." for line in access_lines(result))
    yield ""
    yield from escaped_table(("points", *PART_COLUMNS), part_rows(result))
    yield f"\n{escape(parts_legend(result))}.\n"
    yield from (f"- {escape(sentence)}." for sentence in result.sentences)
    yield ""
