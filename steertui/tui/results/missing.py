"""What the Results screen says of answers and labels that are missing, and of tables without rows.

A run or a judge at work refuses the key with which judges label, so that key is not named then.
"""

from collections.abc import Iterable

from steertui.analysis.table import RateRow, Table
from steertui.printable import one_line
from steertui.units import quantity

RUN_LABELS = "the run in progress labels them; 5 labels by hand"

AT_WORK = "judges can label when the run in progress has ended; 5 labels by hand"

EMPTY = {
    "rates-table": "no condition",
    "categories": "all scenarios are of one category",
    "changed": "no scenario has different labels under two conditions",
}
"""Why a table with labels has no rows, by widget id."""

MAX_NAMED = 6
"""Maximum conditions whose counts are named."""


def empty_reason(
    name: str, table: Table, *, has_pair: bool, is_at_work: bool, planned_judges: int = 0
) -> str:
    """Return why the table `name` has no rows, and which key changes that.

    `has_pair` says whether two judges or people labelled answers of the experiment, and
    `planned_judges` how many judges a run of it asks for labels.
    """
    if table.judge is None:
        remedy = "8 opens Judges, where l labels them; 5 labels by hand"
        if is_at_work:
            remedy = RUN_LABELS if planned_judges else AT_WORK
        return f"no answer is labelled yet: {remedy}"
    if name != "agreement":
        return EMPTY[name]
    if has_pair:
        return "no answer is labelled by two judges"
    remedy = "8 opens Judges, where l adds one; 5 labels by hand"
    if is_at_work:
        remedy = RUN_LABELS if planned_judges > 1 else AT_WORK
    return f"only one judge labelled these answers: {remedy}"


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
