"""The Store: the only door to SQLite. Rows are added, never edited; what is missing is a query.

Two kinds of row change: a batch with its state, and a trial whose scenario or condition is told in
other words that are no part of its prompt.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from steertui.core.generation import Generation
from steertui.core.judge_kind import JudgeKind, parse_judge_kind
from steertui.core.model import parse_model_backend
from steertui.core.outcome import Outcome
from steertui.core.prompt import Prompt
from steertui.core.verdict import Verdict
from steertui.errors import ExperimentError
from steertui.lookup import resolve_name
from steertui.store import rows
from steertui.store.batches import Batches
from steertui.store.rows import ModelFacts, ModelSetting, ServerAnswer, as_json, now, outcome
from steertui.store.schema import answer_digest

_DRAWN = """(SELECT h.reference FROM hand_queue AS h
    WHERE h.judge = v.judge AND h.trial = t.key AND h.queue = 'random')"""


class Store(Batches):
    """Everything that is kept: one SQLite file, for one thread."""

    def column(self, sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """Return the first column of a query's rows."""
        with self._mending():
            return [row[0] for row in self._db.execute(sql, list(parameters))]

    def tuples(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        """Yield a query's rows as tuples, where dicts would take too long."""
        with self._mending():
            yield from self._db.execute(sql, list(parameters))

    def stream(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        """Yield a query's rows as dicts, one at a time: for more than memory should hold."""
        with self._mending():
            yield from self._db.query(sql, parameters)

    def plan(self, toml: str, prompts: Sequence[Prompt], facts: dict[str, ModelFacts]) -> str:
        """Add an experiment's trials, those already there left alone; return its id.

        `facts` is by the model's sha256. The id is a hash of the trials' keys, so the same
        experiment planned again is the same row. What a trial's key does not hold (the category,
        a text that only a judge is told) is what the last plan says.
        """
        time = now()
        experiment = rows.digest(*(p.key for p in prompts))[:16]
        with self._writing() as db:
            add = rows.adder(db)
            add("experiments", [(experiment, toml, time)])
            add("plannings", [(experiment, time, toml)])
            models = {p.trial.model.sha256: p.trial.model for p in prompts}
            add("models", [rows.model_row(m, facts[sha]) for sha, m in models.items()])
            add("scenarios", dict.fromkeys(rows.scenario_row(p.trial.scenario) for p in prompts))
            add("conditions", dict.fromkeys(rows.condition_row(p.trial.condition) for p in prompts))
            add("prompts", dict.fromkeys((rows.digest(p.text), p.text) for p in prompts))
            trials = [rows.trial_row(p, time) for p in prompts]
            add("trials", trials)
            rows.update_descriptions(db, trials)
            add("experiment_trials", [(experiment, p.key, i) for i, p in enumerate(prompts)])
        return experiment

    def experiments(self) -> list[dict[str, Any]]:
        """Return every experiment's id, times, number of trials, and the TOML that it was planned
        by, the one planned last at the end."""
        sql = """SELECT e.id, p.toml, e.created_at, max(p.created_at) AS planned_at,
                (SELECT count(*) FROM experiment_trials WHERE experiment = e.id) AS trials
            FROM experiments AS e JOIN plannings AS p ON p.experiment = e.id
            GROUP BY e.id ORDER BY planned_at, e.id"""
        return self.query(sql)

    def plannings(self, experiment: str) -> list[str]:
        """Return the TOML of each time that an experiment was planned, the last at the end."""
        sql = "SELECT toml FROM plannings WHERE experiment = ? ORDER BY created_at"
        return self.column(sql, [experiment])

    def choose(self, experiment: str | None = None) -> str:
        """Return an experiment's id, the newest's where none is named (`names.meant`).

        Raises ExperimentError where there is none, or not this one.
        """
        known = [str(row["id"]) for row in self.experiments()]
        if not known:
            raise ExperimentError(f"{self.path}: holds no experiment yet; run or import one")
        if experiment is None:
            return known[-1]
        return resolve_name("experiment", experiment, dict.fromkeys(known, ()))[0]

    def planned(self, experiment: str) -> int:
        """Return how many trials the experiment has."""
        sql = "SELECT count(*) AS n FROM experiment_trials WHERE experiment = ?"
        return int(self.query(sql, [experiment])[0]["n"])

    def start(self, experiment: str, versions: object, device: str, settings: object) -> int:
        """Add a run: one sitting of generating for an experiment; return its id."""
        row = (experiment, now(), as_json(versions), device, as_json(settings))
        with self._writing() as db:
            sql = (
                "INSERT INTO runs (experiment, started_at, versions, device, settings) "
                "VALUES (?, ?, ?, ?, ?)"
            )
            return int(db.execute(sql, row).lastrowid or 0)

    def answered(self, experiment: str) -> set[str]:
        """Return the keys of the experiment's trials that have an answer."""
        sql = """SELECT trial FROM experiment_trials JOIN generations USING (trial)
            WHERE experiment = ?"""
        return {row["trial"] for row in self.query(sql, [experiment])}

    def add_generation(
        self, key: str, run: int, generation: Generation, delivery: ServerAnswer | None = None
    ) -> None:
        """Add a trial's answer; one that comes second is not taken."""
        parts = generation.reasoning, generation.answer
        self.add_answer(key, run, generation, *parts, delivery)

    def add_answer(
        self,
        key: str,
        run: int,
        generation: Generation,
        reasoning: str,
        answer: str,
        delivery: ServerAnswer | None = None,
    ) -> None:
        """Add an answer that was told apart from its reasoning elsewhere, to the byte."""
        g = generation
        row = (key, run, g.text, reasoning, answer, g.stop, g.prompt_tokens, g.tokens)
        rest = round(g.seconds, 3), now(), answer_digest(answer)
        with self._writing() as db:
            sql = """INSERT INTO generations (trial, run, text, reasoning, answer, stop,
                prompt_tokens, tokens, seconds, created_at, answer_digest)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trial) DO NOTHING"""
            if db.execute(sql, (*row, *rest)).rowcount and delivery:
                d = delivery
                came = (key, d.url, d.form, d.model, d.fingerprint, d.request, d.tries)
                sql = """INSERT INTO deliveries (trial, url, form, model, fingerprint, request,
                    tries) VALUES (?, ?, ?, ?, ?, ?, ?)"""
                db.execute(sql, came)

    def add_labelled(
        self,
        key: str,
        run: int,
        generation: Generation,
        reasoning: str,
        answer: str,
        verdict: Verdict,
    ) -> None:
        """Add an answer and the label that came with it: both or none."""
        with self._writing():
            self.add_answer(key, run, generation, reasoning, answer)
            self.add_verdict(key, verdict)

    def add_failure(self, key: str, run: int, reason: str) -> None:
        """Add the reason why a trial could not be answered; it stays missing."""
        with self._writing() as db:
            sql = "INSERT INTO failures (trial, run, reason, created_at) VALUES (?, ?, ?, ?)"
            db.execute(sql, (key, run, reason, now()))

    def outcomes(self, experiment: str, judge: str) -> dict[ModelSetting, list[Outcome]]:
        """Return every planned trial's outcome under the judge, by model and
        temperature, in planned order."""
        drawn = _DRAWN if parse_judge_kind(judge) is JudgeKind.HUMAN else "NULL"
        sql = f"""SELECT t.model, t.temperature, t.scenario, t.condition, t.sample, g.stop, v.label,
                v.failure, g.answer_digest, {drawn}
            FROM experiment_trials AS e
            JOIN trials AS t ON t.key = e.trial
            LEFT JOIN generations AS g INDEXED BY generations_in_short ON g.trial = t.key
            LEFT JOIN current_verdicts AS v ON v.trial = t.key AND v.judge = ?
            WHERE e.experiment = ? ORDER BY e.place"""
        models = {
            model: (name, title, parse_model_backend(model, origin))
            for model, name, title, origin in self._all("sha256, name, title, origin", "models")
        }
        scenarios = {i: (name, c) for i, name, c in self._all("id, name, category", "scenarios")}
        conditions = dict(self._all("id, name", "conditions"))
        found: dict[tuple[str, float], list[Outcome]] = {}
        with self._mending():
            # Names are looked up here, not joined, which takes a third of the time off.
            for model, temperature, scenario, condition, sample, stop, *read in self._db.execute(
                sql, (judge, experiment)
            ):
                own = found.setdefault((model, temperature), [])
                own.append(
                    outcome(*scenarios[scenario], conditions[condition], sample, stop, *read)
                )
        settings: dict[ModelSetting, list[Outcome]] = {}
        for (model, temperature), own in found.items():
            name, title, backend = models[model]
            settings[ModelSetting(model, name, title, temperature, backend=backend)] = own
        return settings

    def left_out(self, experiments: Sequence[str]) -> dict[str, int]:
        """Return by table how many rows of merged databases differ from those in use, of these
        experiments' trials and files and of all models and judges."""
        marks = ", ".join("?" * len(experiments))
        sql = f"""SELECT about, count(DISTINCT subject || ' ' || judge) AS n FROM conflicts AS c
            WHERE about IN ('models', 'judges') OR subject IN ({marks})
                OR EXISTS (SELECT 1 FROM experiment_trials AS e
                    WHERE e.experiment IN ({marks}) AND e.trial = c.subject)
            GROUP BY about ORDER BY about"""
        rows = self.query(sql, [*experiments, *experiments])
        return {row["about"]: row["n"] for row in rows}

    def _all(self, columns: str, table: str) -> list[Any]:
        with self._mending():
            return self._db.execute(f"SELECT {columns} FROM {table}").fetchall()
