"""The store's verdicts: judges, what they have not read, what they said and charged."""

from collections import Counter
from collections.abc import Sequence

from sqlite_utils import Database

from steertui.core.verdict import Label, Verdict
from steertui.store import rows
from steertui.store.connection import Connection
from steertui.store.rows import JudgeCost, JudgeInfo, JudgeReply, UnjudgedAnswer, as_json, now

P_COLUMNS = tuple(f"p_{label}" for label in Label)
L_COLUMNS = tuple(f"l_{label}" for label in Label)


class Verdicts(Connection):
    """What the store knows of judges."""

    def add_judge(self, judge: str, name: str, settings: object) -> None:
        """Add a judge, once."""
        with self._writing() as db:
            rows.adder(db)("judges", [(judge, name, as_json(settings))])

    def unjudged(self, experiment: str, judge: str) -> list[UnjudgedAnswer]:
        """Return the experiment's answers that the judge has no label for, in planned order."""
        sql = """SELECT t.key, s.category, s.system, s.task, c.suffix, g.answer
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            JOIN scenarios AS s ON s.id = t.scenario
            JOIN conditions AS c ON c.id = t.condition
            JOIN generations AS g ON g.trial = t.key
            WHERE e.experiment = ? AND NOT EXISTS (SELECT 1 FROM verdicts AS v
                WHERE v.trial = t.key AND v.judge = ? AND v.label IS NOT NULL)
            ORDER BY e.place"""
        return [rows.unjudged(row) for row in self.query(sql, [experiment, judge])]

    def add_verdict(self, key: str, verdict: Verdict, exchange: JudgeReply | None = None) -> None:
        """Add a judge's label or failure, and the exchange it came from, in one transaction.

        A second label of one judge for one trial is ignored, unless the judge is a person.
        """
        with self._writing() as db:
            self._add_verdict(db, key, verdict, exchange)

    def _add_verdict(
        self, db: Database, key: str, verdict: Verdict, exchange: JudgeReply | None
    ) -> None:
        v = verdict
        chances = v.probabilities or (None,) * len(P_COLUMNS)
        row = (key, v.judge, v.label, v.failure, *chances, v.reason, round(v.seconds, 3), now())
        sql = f"""INSERT INTO verdicts (trial, judge, label, failure,
            {", ".join(P_COLUMNS)}, reason, seconds, created_at)
            VALUES ({", ".join("?" * len(row))}) ON CONFLICT DO NOTHING"""
        db.execute(sql, row)
        if exchange:
            _add_exchange(db, v.judge, key, exchange)

    def add_reading(self, judge: str, key: str, turn: int, logliks: Sequence[float]) -> None:
        """Add the labels' log-likelihoods under the rubric in its order of that turn, once."""
        with self._writing() as db:
            rows.adder(db)("readings", [(judge, key, turn, *logliks)])

    def readings(self, judge: str) -> dict[str, dict[int, tuple[float, ...]]]:
        """Return all that the judge has read, in this database: log-likelihoods by trial, turn."""
        sql = f"SELECT trial, turn, {', '.join(L_COLUMNS)} FROM readings WHERE judge = ?"
        found: dict[str, dict[int, tuple[float, ...]]] = {}
        for row in self.query(sql, [judge]):
            logliks = tuple(float(row[name]) for name in L_COLUMNS)
            found.setdefault(row["trial"], {})[row["turn"]] = logliks
        return found

    def add_exchange(self, judge: str, exchange: JudgeReply) -> None:
        """Add an exchange that was about no trial: the known answer asked first."""
        with self._writing() as db:
            _add_exchange(db, judge, None, exchange)

    def spent(self, judge: str) -> JudgeCost:
        """Return what the judge has cost so far, in this database."""
        sql = """SELECT count(*) AS replies, coalesce(sum(input_tokens), 0) AS input_tokens,
                coalesce(sum(output_tokens), 0) AS output_tokens, sum(dollars) AS dollars
            FROM replies WHERE judge = ?"""
        return JudgeCost(**self.query(sql, [judge])[0])

    def judged(self, experiment: str, judge: str) -> int:
        """Return how many of the experiment's trials the judge has a label for."""
        sql = """SELECT count(DISTINCT trial) AS n
            FROM experiment_trials JOIN verdicts USING (trial)
            WHERE experiment = ? AND judge = ? AND label IS NOT NULL"""
        return int(self.query(sql, [experiment, judge])[0]["n"])

    def add_hand_queue(self, judge: str, key: str, queue: str, reference: str) -> None:
        """Add how a person came upon an answer: by "doubtful" or by "random" order within strata
        by the reference judge's labels."""
        with self._writing() as db:
            rows.adder(db)("hand_queue", [(judge, key, queue, reference)])

    def hand_queue(self, experiment: str, judge: str) -> Counter[str]:
        """Return how many of a person's labels came from which queue."""
        sql = """SELECT queue, count(*) AS n FROM experiment_trials JOIN hand_queue USING (trial)
            WHERE experiment = ? AND judge = ? GROUP BY queue"""
        return Counter({r["queue"]: r["n"] for r in self.query(sql, [experiment, judge])})

    def readers(self, experiment: str) -> list[JudgeInfo]:
        """Return the judges that have read any of the experiment's answers, first come first."""
        sql = """SELECT j.id, j.name, j.settings FROM judges AS j WHERE EXISTS (
                SELECT 1 FROM experiment_trials JOIN verdicts AS v USING (trial)
                WHERE experiment = ? AND v.judge = j.id) ORDER BY j.rowid"""
        found = self.query(sql, [experiment])
        return [rows.judge_info(r["id"], r["name"], r["settings"]) for r in found]


def _add_exchange(db: Database, judge: str, key: str | None, exchange: JudgeReply) -> None:
    e = exchange
    counts = e.input_tokens, e.cached_tokens, e.output_tokens, e.dollars
    row = (judge, key, e.way, e.model, e.request, e.text, *counts, now())
    sql = f"""INSERT INTO replies (judge, trial, way, model, request, text, input_tokens,
        cached_tokens, output_tokens, dollars, created_at) VALUES ({", ".join("?" * len(row))})"""
    db.execute(sql, row)
