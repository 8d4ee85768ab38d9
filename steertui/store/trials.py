"""Queries on single trials: list lines, and all texts of a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from steertui.core.condition import Condition, stored_condition
from steertui.core.verdict import Label
from steertui.store.rows import LABELS
from steertui.store.store import Store
from steertui.store.verdicts import P_COLUMNS

LINE_LENGTH = 240
"""Characters of an answer in a list."""


@dataclass(frozen=True, slots=True)
class TrialLine:
    """A trial in a list.

    Attributes:
        row: row number of the trial, which never changes.
        key: the trial's key.
        model: the model's name.
        title: the scenario's title.
        condition: the condition's name.
        sample: index from 0.
        stop: stop reason, "" without an answer.
        tokens: new tokens.
        answer: the first `LINE_LENGTH` characters of the answer, None without an answer.
        label: the judge's label.
        failure: why there is no label, "" if there is one or the judge has not seen the answer.
    """

    row: int
    key: str
    model: str
    category: str
    title: str
    condition: str
    temperature: float
    sample: int
    stop: str
    tokens: int
    answer: str | None
    label: Label | None
    failure: str


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A judge's verdict.

    Attributes:
        judge: the judge's name.
        label: the label, None after a failure.
        failure: why there is no label, "" if there is one.
        probabilities: of the labels in `Label`'s order, None if the judge gives none.
        reason: the judge's reason, "" for none.
    """

    judge: str
    label: Label | None
    failure: str
    probabilities: tuple[float, ...] | None
    reason: str


@dataclass(frozen=True, slots=True)
class TrialText:
    """A trial with all its texts and verdicts (for the other fields see `TrialLine`)."""

    row: int
    key: str
    model: str
    scenario: str
    category: str
    title: str
    system: str
    task: str
    condition: str
    suffix: str
    about: str
    spec: str
    temperature: float
    sample: int
    stop: str
    prompt_tokens: int
    tokens: int
    seconds: float
    reasoning: str
    answer: str | None
    verdicts: tuple[StoredVerdict, ...]

    @property
    def steered_by(self) -> Condition:
        """The condition with its texts and interventions."""
        return stored_condition(self.condition, self.suffix, self.about, self.spec)


def list_trials(store: Store, rows: Sequence[int], judge: str) -> list[TrialLine]:
    """Return the trials of these row numbers, in the order of `rows`."""
    marks = ",".join("?" * len(rows))
    sql = f"""SELECT t.rowid AS row, t.key, m.name AS model, s.category, s.title,
            c.name AS condition, t.temperature, t.sample, ifnull(g.stop, '') AS stop,
            ifnull(g.tokens, 0) AS tokens, substr(g.answer, 1, {LINE_LENGTH}) AS answer, v.label,
            ifnull(v.failure, '') AS failure
        FROM trials AS t JOIN models AS m ON m.sha256 = t.model
        JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
        LEFT JOIN generations AS g ON g.trial = t.key
        LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
        WHERE t.rowid IN ({marks})"""
    lines = {
        row["row"]: TrialLine(**row | {"label": LABELS[row["label"]]})
        for row in store.query(sql, [judge, *rows])
    }
    return [lines[row] for row in rows if row in lines]


_TEXT = """SELECT t.rowid AS row, t.key, m.name AS model, s.name AS scenario, s.category, s.title,
        s.system, s.task, c.name AS condition, c.suffix, c.about, c.spec,
        t.temperature, t.sample,
        ifnull(g.stop, '') AS stop, ifnull(g.prompt_tokens, 0) AS prompt_tokens,
        ifnull(g.tokens, 0) AS tokens, ifnull(g.seconds, 0.0) AS seconds,
        ifnull(g.reasoning, '') AS reasoning, g.answer
    FROM trials AS t JOIN models AS m ON m.sha256 = t.model
    JOIN scenarios AS s ON s.id = t.scenario JOIN conditions AS c ON c.id = t.condition
    LEFT JOIN generations AS g ON g.trial = t.key WHERE """


def read_trial(store: Store, key: str) -> TrialText | None:
    """Return a trial with all its texts and verdicts, None if there is none of this key."""
    trials = _read(store, "t.key = ?", [key])
    return trials[0] if trials else None


def read_matched_trials(store: Store, key: str, experiment: str) -> list[TrialText]:
    """Return a trial and the matched ones under other conditions, in planned order.

    Matched trials have the same model, scenario, sampling and sample. They are those of the
    experiment, or of all experiments if it is "".
    """
    in_experiment = "1"
    parameters = [key]
    if experiment:
        in_experiment = "t.key IN (SELECT trial FROM experiment_trials WHERE experiment = ?)"
        parameters.append(experiment)
    where = f"""t.rowid IN (SELECT b.rowid FROM trials AS a JOIN trials AS b
        ON b.model = a.model AND b.scenario = a.scenario AND b.sampling = a.sampling
        AND b.sample = a.sample WHERE a.key = ?) AND {in_experiment} ORDER BY t.rowid"""
    return _read(store, where, parameters)


def matched_scenarios(store: Store, key: str, experiment: str) -> list[str]:
    """Return the keys of the experiment's trials that differ from a trial in the scenario only.

    They are in planned order. The trial itself is one of them if it belongs to the experiment.
    """
    sql = """SELECT b.key FROM trials AS a JOIN trials AS b
            ON b.model = a.model AND b.condition = a.condition AND b.sampling = a.sampling
            AND b.sample = a.sample
        JOIN experiment_trials AS e ON e.trial = b.key AND e.experiment = ?
        WHERE a.key = ? ORDER BY e.place"""
    return store.column(sql, [experiment, key])


def _read(store: Store, where: str, parameters: Sequence[str]) -> list[TrialText]:
    return [
        TrialText(**row, verdicts=_verdicts(store, row["key"]))
        for row in store.query(_TEXT + where, parameters)
    ]


def _verdicts(store: Store, key: str) -> tuple[StoredVerdict, ...]:
    sql = f"""SELECT j.name, v.label, v.failure, v.reason, {", ".join(P_COLUMNS)}
        FROM current_verdicts AS v JOIN judges AS j ON j.id = v.judge
        WHERE v.trial = ? ORDER BY j.rowid"""
    return tuple(
        StoredVerdict(
            judge=judge,
            label=LABELS[label],
            failure=failure,
            probabilities=None if None in probabilities else tuple(probabilities),
            reason=reason,
        )
        for judge, label, failure, reason, *probabilities in store.tuples(sql, [key])
    )
