"""Judges in the store: verdicts, log-likelihoods, replies, cost, annotation queue."""

import json
from collections import Counter
from collections.abc import Sequence

from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.verdict import Label, Verdict
from steertui.store import rows
from steertui.store.connection import Connection
from steertui.store.database import Database
from steertui.store.records import (
    JudgeCost,
    JudgeInfo,
    JudgeReply,
    LastLabel,
    UnjudgedAnswer,
)
from steertui.store.rows import now

P_COLUMNS = tuple(f"p_{label}" for label in Label)
"""Columns of the labels' probabilities, in `Label`'s order."""

L_COLUMNS = tuple(f"l_{label}" for label in Label)
"""Columns of the labels' log-likelihoods, in `Label`'s order."""

_REMOVE_LABEL = """DELETE FROM verdicts WHERE id = (
        SELECT max(v.id) FROM verdicts AS v JOIN judges AS j ON j.id = v.judge
        WHERE v.judge = ? AND v.trial = ? AND v.id > ? AND j.kind = 'human')"""
_NEWEST_LABEL = """SELECT coalesce(max(id), 0) FROM verdicts
    WHERE judge = ? AND trial = ? AND label IS NOT NULL"""
_LAST_LABEL = """WITH labels AS (
        SELECT v.id, v.trial, v.label, EXISTS (SELECT 1 FROM agreement_views AS a
            WHERE a.experiment = e.experiment AND a.judge = v.judge
            AND a.created_at >= v.created_at) AS is_final
        FROM experiment_trials AS e JOIN verdicts AS v USING (trial)
        JOIN judges AS j ON j.id = v.judge
        WHERE e.experiment = ? AND v.judge = ? AND v.label IS NOT NULL AND j.kind = 'human')
    SELECT trial, is_final, (SELECT k.label FROM labels AS k
        WHERE k.trial = labels.trial AND k.is_final ORDER BY k.id DESC LIMIT 1)
    FROM labels WHERE trial NOT IN (SELECT value FROM json_each(?)) ORDER BY id DESC LIMIT 1"""
_REMOVE_QUEUE_ITEM = """DELETE FROM annotation_queue WHERE judge = ? AND trial = ?
    AND NOT EXISTS (SELECT 1 FROM verdicts AS v
        WHERE v.judge = annotation_queue.judge AND v.trial = annotation_queue.trial)"""


class Verdicts(Connection):
    """Reading and writing of judges and their verdicts."""

    # Judges

    def add_judge(self, judge: str, name: str, settings: object) -> None:
        """Add a judge; it is ignored if the id is stored. `settings` is stored as JSON."""
        with self._writing() as db:
            rows.inserter(db)("judges", [rows.judge_row(judge, name, settings)])

    def judge_kind(self, judge: str) -> JudgeKind:
        """Return a judge's kind, by its id if it is not stored."""
        kinds = self.column("SELECT kind FROM judges WHERE id = ?", [judge])
        return JudgeKind(kinds[0]) if kinds else parse_judge_kind(judge)

    def judges(self, experiment: str) -> list[JudgeInfo]:
        """Return the judges with a verdict in the experiment, in the order they were added."""
        sql = """SELECT j.id, j.name, json_extract(j.settings, '$.title'), j.kind, j.rubric_sha256
            FROM judges AS j WHERE EXISTS (
                SELECT 1 FROM experiment_trials JOIN verdicts AS v USING (trial)
                WHERE experiment = ? AND v.judge = j.id) ORDER BY j.rowid"""
        return [
            JudgeInfo(judge, name, title, JudgeKind(kind), rubric_sha256=rubric)
            for judge, name, title, kind, rubric in self.tuples(sql, [experiment])
        ]

    # Verdicts

    def unjudged_answers(self, experiment: str, judge: str) -> list[UnjudgedAnswer]:
        """Return the experiment's answers without a label of the judge, in planned order."""
        sql = """SELECT t.key, s.category, s.system, s.task, c.name, c.suffix, c.about, c.spec,
                g.answer
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            JOIN scenarios AS s ON s.id = t.scenario
            JOIN conditions AS c ON c.id = t.condition
            JOIN generations AS g ON g.trial = t.key
            WHERE e.experiment = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS v
                WHERE v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL)
            ORDER BY e.place"""
        return [rows.unjudged_answer(row) for row in self.query(sql, [experiment, judge])]

    def add_verdict(self, key: str, verdict: Verdict, reply: JudgeReply | None = None) -> None:
        """Add a judge's label or failure and the reply it came from, in one transaction.

        A second label of a judge for a trial is ignored, unless the judge is a person.
        """
        with self._writing() as db:
            self._insert_verdict(db, key, verdict, reply)

    def _insert_verdict(
        self, db: Database, key: str, verdict: Verdict, reply: JudgeReply | None
    ) -> None:
        row = (
            key,
            verdict.judge,
            verdict.label,
            verdict.failure,
            *(verdict.probabilities or (None,) * len(P_COLUMNS)),
            verdict.reason,
            round(verdict.seconds, 3),
            now(),
        )
        sql = f"""INSERT INTO verdicts (trial, judge, label, failure,
            {", ".join(P_COLUMNS)}, reason, seconds, created_at)
            VALUES ({", ".join("?" * len(row))}) ON CONFLICT DO NOTHING"""
        db.execute(sql, row)
        if reply:
            _insert_reply(db, verdict.judge, key, reply)

    def judged_keys(self, judge: str) -> set[str]:
        """Return the keys of all trials in the database that have a label of the judge."""
        sql = "SELECT trial FROM verdicts WHERE judge = ? AND label IS NOT NULL"
        return set(self.column(sql, [judge]))

    def count_judged(self, experiment: str, judge: str) -> int:
        """Return the number of the experiment's trials with a label of the judge."""
        sql = """SELECT count(DISTINCT trial)
            FROM experiment_trials JOIN verdicts USING (trial)
            WHERE experiment = ? AND judge = ? AND label IS NOT NULL"""
        return int(self.column(sql, [experiment, judge])[0])

    # Log-likelihoods of local judges

    def add_label_logliks(
        self, judge: str, key: str, rotation: int, logliks: Sequence[float]
    ) -> None:
        """Add the labels' log-likelihoods under one rotation of the rubric's label list.

        They are ignored if the trial has some under this rotation.
        """
        with self._writing() as db:
            rows.inserter(db)("label_logliks", [(judge, key, rotation, *logliks)])

    def label_logliks(
        self, judge: str, *, control: bool = False
    ) -> dict[str, dict[int, tuple[float, ...]]]:
        """Return a judge's log-likelihoods in this database, by trial and rotation.

        They are those of all answers outside the control sets, or with `control` those of the
        control answers.
        """
        sql = f"""SELECT trial, rotation, {", ".join(L_COLUMNS)} FROM label_logliks
            WHERE judge = ? AND trial {"" if control else "NOT"} IN {rows.CONTROL_TRIALS}"""
        by_trial: dict[str, dict[int, tuple[float, ...]]] = {}
        for trial, rotation, *logliks in self.tuples(sql, [judge]):
            by_trial.setdefault(trial, {})[rotation] = tuple(map(float, logliks))
        return by_trial

    # Replies of judge servers

    def add_reply(self, judge: str, reply: JudgeReply) -> None:
        """Add a reply to the preflight question, which belongs to no trial."""
        with self._writing() as db:
            _insert_reply(db, judge, None, reply)

    def judge_cost(self, judge: str) -> JudgeCost:
        """Return the cost of the judge's replies in this database."""
        sql = """SELECT count(*), coalesce(sum(input_tokens), 0), coalesce(sum(output_tokens), 0),
                sum(dollars)
            FROM judge_replies WHERE judge = ?"""
        ((replies, input_tokens, output_tokens, dollars),) = self.tuples(sql, [judge])
        return JudgeCost(replies, input_tokens, output_tokens, dollars)

    # Control set

    def add_control_reread(self, judge: str, key: str, label: Label) -> None:
        """Add the label that a judge gave to a control answer when it read it again."""
        sql = """INSERT INTO control_rereads (judge, trial, label, created_at)
            VALUES (?, ?, ?, ?)"""
        with self._writing() as db:
            db.execute(sql, (judge, key, label, now()))

    # Annotation

    def add_drawn_label(
        self, key: str, verdict: Verdict, former: int, *, ordering: str, reference: str
    ) -> bool:
        """Add a person's label and the order in which the answer was drawn, in one transaction.

        Args:
            key: key of the trial.
            verdict: the label.
            former: row id of the person's newest label of the answer when it was drawn, 0 for none.
            ordering: "uncertain" or "random".
            reference: the judge whose labels defined the strata, "" for none.

        Returns:
            False, and nothing is stored, if another label of the person was added meanwhile.
        """
        with self._writing() as db:
            newest = db.execute(_NEWEST_LABEL, (verdict.judge, key)).fetchone()[0]
            if newest != former:
                return False
            rows.inserter(db)("annotation_queue", [(verdict.judge, key, ordering, reference)])
            self._insert_verdict(db, key, verdict, None)
        return True

    def remove_label(self, judge: str, key: str, former: int = 0) -> None:
        """Remove a person's newest label for a trial; an earlier one counts again.

        The label with the row id `former` and those before it are never removed. If no label
        remains, the answer's place in the person's queue is removed as well.
        """
        with self._writing() as db:
            db.execute(_REMOVE_LABEL, (judge, key, former))
            db.execute(_REMOVE_QUEUE_ITEM, (judge, key))

    def last_label(
        self, experiment: str, judge: str, without: Sequence[str] = ()
    ) -> LastLabel | None:
        """Return a person's newest label in the experiment, in whichever batch or program.

        Labels of the trials with the keys `without` are passed over.
        """
        parameters = [experiment, judge, json.dumps(list(without))]
        for key, is_final, kept in self.tuples(_LAST_LABEL, parameters):
            return LastLabel(key, bool(is_final), Label(kept) if kept else None)
        return None

    def add_agreement_view(self, experiment: str, judge: str) -> None:
        """Store that a person saw how far their labels in the experiment agree with a judge's."""
        with self._writing() as db:
            rows.inserter(db)("agreement_views", [(experiment, judge, now())])

    def queue_counts(self, experiment: str, judge: str) -> Counter[str]:
        """Return the number of a person's queue items in the experiment by their ordering."""
        sql = """SELECT ordering, count(*)
            FROM experiment_trials JOIN annotation_queue USING (trial)
            WHERE experiment = ? AND judge = ? GROUP BY ordering"""
        return Counter(dict(self.tuples(sql, [experiment, judge])))


def _insert_reply(db: Database, judge: str, key: str | None, reply: JudgeReply) -> None:
    row = (
        judge,
        key,
        reply.request_format,
        reply.model,
        reply.request_id,
        reply.text,
        reply.input_tokens,
        reply.cached_tokens,
        reply.output_tokens,
        reply.dollars,
        now(),
    )
    sql = f"""INSERT INTO judge_replies (judge, trial, request_format, model, request_id, text,
        input_tokens, cached_tokens, output_tokens, dollars, created_at)
        VALUES ({", ".join("?" * len(row))})"""
    db.execute(sql, row)
