"""Trials that are not in the rates of a table: without an answer, or without a label."""

from collections.abc import Iterable

from steertui.analysis.table import RateRow, Table
from steertui.printable import one_line
from steertui.units import quantity

MAX_NAMED = 6
"""Maximum conditions whose counts are named."""


def left_out_sentence(table: Table) -> str:
    """Return which trials are not in the rates, without a full stop; "" if all are.

    Answers that a person has not labelled are those of another sentence, on the labelled mix.
    """
    parts = [
        _part(((row, row.counts.pending) for row in table.rows), "trial", "without an answer"),
        _part(
            ((row, row.counts.failed) for row in table.rows),
            "answer",
            "without a label because the judge failed",
        ),
    ]
    if table.judge and table.mix is None:
        parts.append(
            _part(((row, row.counts.unjudged) for row in table.rows), "answer", "unjudged")
        )
    text = ", ".join(filter(None, parts))
    return f"Not in these rates: {text}" if text else ""


def _part(counts: Iterable[tuple[RateRow, int]], noun: str, state: str) -> str:
    """Return the sum of counts with those of its conditions; "" for none."""
    named = [(one_line(row.condition), count) for row, count in counts if count]
    if not named:
        return ""
    total = sum(count for _, count in named)
    own = "" if len(named) > MAX_NAMED else f" ({', '.join(f'{n} {c:,}' for n, c in named)})"
    return f"{quantity(total, noun)} {state}{own}"
