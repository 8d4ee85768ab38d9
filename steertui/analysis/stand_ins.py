"""Scripted stand-ins among the models: statements over several models leave them out."""

from collections.abc import Iterable, Sequence

from steertui.analysis.table import Table
from steertui.core.model import is_stand_in

LEFT_OUT_SENTENCE = (
    "Statements over several models (pooled gaps, corrections over models, series by size, "
    "comparisons of models) leave out the model demo, because it is a scripted stand-in."
)


def answers_are_scripted(table: Table) -> bool:
    """Whether the demo checkpoint, a scripted stand-in, wrote the answers."""
    return is_stand_in(table.setting.title)


def without_stand_ins(tables: Iterable[Table]) -> list[Table]:
    """Return the tables of real models; all tables if no model is real."""
    given = [*tables]
    return [table for table in given if not answers_are_scripted(table)] or given


def left_out_sentences(tables: Sequence[Table]) -> tuple[str, ...]:
    """Return the sentence on a stand-in beside real models, in a tuple; () if there is none."""
    is_mixed = len({answers_are_scripted(table) for table in tables}) > 1
    return (LEFT_OUT_SENTENCE,) if is_mixed else ()
