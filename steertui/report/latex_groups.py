"""Dose axes and contests as LaTeX."""

from collections.abc import Iterable, Iterator

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
from steertui.report.latex_tables import escape, latex_table


def group_lines(groups: Groups) -> Iterator[str]:
    """Yield tables and a paragraph for each group of a table."""
    for axis in groups.axes:
        yield from _axis(axis)
    for result in groups.contests:
        yield from _contest(result)
    for refusals in groups.refusals:
        yield from _paragraph(f"Contest {refusals.contest}", refusals.sentences)


def _axis(axis: AxisResult) -> Iterator[str]:
    title = f"Dose axis {axis.name}"
    notes = [f"{title}: {UNIT_WORDS[axis.unit]}", dose_legend(axis)]
    yield from latex_table(("dose", *dose_columns(axis)), dose_rows(axis), notes)
    yield from _paragraph(title, (*axis.sentences, *axis.details))


def _contest(result: ContestResult) -> Iterator[str]:
    title = f"Contest {result.sides.contest}"
    notes = [f"{title}: defences × attacks", marks_legend(result), *access_lines(result)]
    yield from latex_table(("defence", *result.sides.attacks), matrix_rows(result), notes)
    parts = [f"{title}: parts of each defence against each attack, in points", parts_legend(result)]
    yield from latex_table(("", *PART_COLUMNS), part_rows(result), parts)
    yield from _paragraph(title, result.sentences)


def _paragraph(title: str, sentences: Iterable[str]) -> Iterator[str]:
    yield rf"\paragraph{{{escape(title)}.}}"
    yield " ".join(f"{escape(sentence)}." for sentence in sentences) + "\n"
