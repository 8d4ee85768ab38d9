"""Queries on control sets: their experiments, the judges that read them, repeated labels."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from steertui.core.judge_kind import JudgeKind
from steertui.core.verdict import Label
from steertui.store.records import JudgeInfo
from steertui.store.rows import IS_CONTROL_SET
from steertui.store.store import Store
from steertui.store.verdicts import P_COLUMNS


class Reread(NamedTuple):
    """A control answer that a judge read more than once.

    Attributes:
        trial: key of the control answer.
        first: the label that counts.
        label: the label of the repeated reading.
        created_at: time of the repeated reading, ISO 8601 in UTC.
    """

    trial: str
    first: Label
    label: Label
    created_at: str


class LabelledAnswer(NamedTuple):
    """A judge's label of an answer; `probabilities` in `Label`'s order, None if it gives none."""

    trial: str
    scenario: str
    condition: str
    label: Label
    probabilities: tuple[float, ...] | None


def control_experiments(store: Store) -> list[str]:
    """Return the ids of the control sets' experiments, the one stored last at the end."""
    sql = f"""SELECT e.id FROM experiments AS e WHERE {IS_CONTROL_SET}
        ORDER BY e.created_at, e.id"""
    return store.column(sql)


def control_experiment(store: Store, trial: str) -> str | None:
    """Return the id of the control set that has a trial; None if none has."""
    sql = "SELECT 1 FROM experiment_trials WHERE experiment = ? AND trial = ?"
    ids = control_experiments(store)
    return next((own for own in ids if store.column(sql, [own, trial])), None)


def known_labels_judge(judges: Iterable[JudgeInfo]) -> JudgeInfo | None:
    """Return the judge whose labels are the known ones; None if there is none."""
    return next((judge for judge in judges if judge.kind is JudgeKind.CONTROL), None)


def control_rereads(store: Store, judge: str) -> list[Reread]:
    """Return a judge's repeated readings of control answers in the order they were made."""
    sql = """SELECT r.trial, v.label, r.label, r.created_at FROM control_rereads AS r
        JOIN current_verdicts AS v ON v.trial = r.trial AND v.judge = r.judge
        WHERE r.judge = ? AND v.label IS NOT NULL ORDER BY r.id"""
    return [
        Reread(trial, Label(first), Label(label), time)
        for trial, first, label, time in store.tuples(sql, [judge])
    ]


def answer_lengths(store: Store, experiment: str) -> dict[str, int]:
    """Return the characters of an experiment's answers by their digests (`Outcome.digest`)."""
    sql = """SELECT g.answer_digest, length(g.answer) FROM experiment_trials AS e
        JOIN generations AS g ON g.trial = e.trial WHERE e.experiment = ?"""
    return dict(store.tuples(sql, [experiment]))


def label_times(store: Store, judge: str) -> list[tuple[str, float]]:
    """Return when a judge's labels in this database were stored, and the seconds each took.

    The times are ISO 8601, in ascending order. Seconds of labels that were not timed are 0.
    """
    sql = """SELECT created_at, seconds FROM verdicts WHERE judge = ? AND label IS NOT NULL
        ORDER BY created_at"""
    return [*store.tuples(sql, [judge])]


def labelled_answers(store: Store, experiment: str, judge: str) -> list[LabelledAnswer]:
    """Return the experiment's answers that a judge labelled, in planned order."""
    sql = f"""SELECT t.key, s.name, c.name, v.label, {", ".join(f"v.{c}" for c in P_COLUMNS)}
        FROM experiment_trials AS e JOIN trials AS t ON t.key = e.trial
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE e.experiment = ? AND v.label IS NOT NULL ORDER BY e.place"""
    return [
        LabelledAnswer(trial, scenario, condition, Label(label), _probabilities(values))
        for trial, scenario, condition, label, *values in store.tuples(sql, [judge, experiment])
    ]


def _probabilities(values: Sequence[float | None]) -> tuple[float, ...] | None:
    found = tuple(value for value in values if value is not None)
    return found if len(found) == len(values) else None


def all_judges(store: Store) -> list[JudgeInfo]:
    """Return the judges with a label in the database, in the order they were added."""
    sql = """SELECT id, name, json_extract(settings, '$.title'), kind, rubric_sha256
        FROM judges AS j WHERE EXISTS (SELECT 1 FROM verdicts
            WHERE judge = j.id AND label IS NOT NULL) ORDER BY rowid"""
    return [
        JudgeInfo(judge, name, title, JudgeKind(kind), rubric_sha256=rubric)
        for judge, name, title, kind, rubric in store.tuples(sql)
    ]
