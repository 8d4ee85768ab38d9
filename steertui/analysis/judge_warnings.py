"""Warnings on a table's judge: drift in the store, differences from a reference."""

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

_FROM = """FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
    JOIN conditions AS c ON c.id = t.condition"""
_WHERE = "WHERE e.experiment = ? AND t.model = ? AND t.temperature = ?"
_LABELLED = "JOIN verdicts AS v ON v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL"


def judge_warnings(store: Store, table: Table, tables: Sequence[Table]) -> Iterator[str]:
    """Yield the warnings on a table's judge, one sentence each, without a full stop.

    `tables` are all tables of the summary, among them those of reference judges.
    """
    judge = table.judge
    if judge is None:
        return
    if judge.kind is JudgeKind.SERVER:
        yield from server_model_changes(_reply_models(store, table, judge.id))
        yield from judged_days_apart(_judging_spans(store, table, judge.id))
    if judge.kind is JudgeKind.HUMAN:
        labelled = sum(row.counts.judged for row in table.rows)
        yield from changed_labels(_changed_answers(store, table, judge.id), labelled)
    if is_reference(judge):
        return
    for other in tables:
        is_same = (other.experiment, other.setting) == (table.experiment, table.setting)
        if is_same and other.judge and is_reference(other.judge):
            yield from reference_differences(table.outcomes, other.outcomes, other.judge.name)


def _rows(
    store: Store, table: Table, judge: str, *, select: str, join: str, group: str
) -> list[dict[str, Any]]:
    """Return rows on the table's trials; `join` has one parameter, the judge."""
    sql = f"SELECT {select} {_FROM} {join} {_WHERE} GROUP BY {group}"
    setting = table.setting
    return store.query(sql, [judge, table.experiment, setting.model, setting.temperature])


def _reply_models(store: Store, table: Table, judge: str) -> dict[str, int]:
    """Return the number of replies by the model name that the server reported."""
    rows = _rows(
        store,
        table,
        judge,
        select="r.model, count(*) AS n",
        join="JOIN replies AS r ON r.trial = t.key AND r.judge = ? AND r.model <> ''",
        group="r.model ORDER BY min(r.id)",
    )
    return {row["model"]: row["n"] for row in rows}


def _judging_spans(store: Store, table: Table, judge: str) -> dict[str, tuple[str, str]]:
    """Return by condition the times of the judge's first and last label, ISO 8601."""
    rows = _rows(
        store,
        table,
        judge,
        select="c.name, min(v.created_at) AS first, max(v.created_at) AS last",
        join=_LABELLED,
        group="c.name ORDER BY min(e.place)",
    )
    return {
        row["name"]: (row["first"], row["last"]) for row in rows if row["name"] in table.conditions
    }


def _changed_answers(store: Store, table: Table, judge: str) -> int:
    """Return the number of answers to which a person gave different labels."""
    group = "t.key HAVING count(DISTINCT v.label) > 1"
    return len(_rows(store, table, judge, select="t.key", join=_LABELLED, group=group))
