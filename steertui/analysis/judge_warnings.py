"""Signs that a table's judge drifts: read from the store, and from the other judges' labels."""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.analysis.drift import (
    changed_labels,
    judged_days_apart,
    reference_differences,
    server_model_changes,
)
from steertui.analysis.judge_agreement import is_reference
from steertui.analysis.table import Table
from steertui.core.judge_kind import JudgeKind
from steertui.store import Store

_OF_TABLE = """FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
    JOIN conditions AS c ON c.id = t.condition"""
_WHERE = "WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"


def judge_warnings(store: Store, table: Table, tables: Sequence[Table]) -> Iterator[str]:
    """Yield the signs of one table among all that were chosen, a sentence each, no full stop."""
    judge = table.judge
    if judge is None:
        return
    if judge.kind is JudgeKind.SERVER:
        yield from server_model_changes(_models(store, table, judge.id))
        yield from judged_days_apart(_spans(store, table, judge.id))
    if judge.kind is JudgeKind.HUMAN:
        yield from changed_labels(
            _changed(store, table, judge.id), sum(r.counts.judged for r in table.rows)
        )
    for other in tables:
        here = (other.experiment, other.setting) == (table.experiment, table.setting)
        if here and other.judge and is_reference(other.judge) and not is_reference(judge):
            yield from reference_differences(table.outcomes, other.outcomes, other.judge.name)


def _rows(store: Store, table: Table, select: str, joined: str, judge: str, end: str) -> list[Any]:
    sql = f"SELECT {select} {_OF_TABLE} {joined} {_WHERE} {end}"
    arm = table.setting
    return store.query(sql, [judge, table.experiment, arm.model, arm.temperature])


def _models(store: Store, table: Table, judge: str) -> dict[str, int]:
    """Return how many replies came from each model, by the server's own word."""
    joined = "JOIN replies AS r ON r.trial = t.key AND r.judge = ? AND r.model <> ''"
    rows = _rows(store, table, "r.model, count(*) AS n", joined, judge,
                 "GROUP BY r.model ORDER BY min(r.id)")  # fmt: skip
    return {row["model"]: row["n"] for row in rows}


def _spans(store: Store, table: Table, judge: str) -> dict[str, tuple[str, str]]:
    joined = "JOIN verdicts AS v ON v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL"
    rows = _rows(store, table, "c.name, min(v.created_at) AS a, max(v.created_at) AS b", joined,
                 judge, "GROUP BY c.name ORDER BY min(e.place)")  # fmt: skip
    return {row["name"]: (row["a"], row["b"]) for row in rows if row["name"] in table.conditions}


def _changed(store: Store, table: Table, judge: str) -> int:
    joined = "JOIN verdicts AS v ON v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL"
    rows = _rows(store, table, "t.key", joined, judge,
                 "GROUP BY t.key HAVING count(DISTINCT v.label) > 1")  # fmt: skip
    return len(rows)
